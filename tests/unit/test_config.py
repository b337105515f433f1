"""Settings: where they come from, in which order, and what is said about wrong ones."""

from contextlib import suppress
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk import config
from thetabulk.config import Config, FetchConfig
from thetabulk.errors import UsageError
from thetabulk.model import Tier
from thetabulk.settings import clock_time, duration_s

CONFIGS = Path(__file__).parents[2] / "configs"


def toml(folder: Path, text: str) -> Path:
    """A config file with this text."""
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problem(file: Path | None = None, env: dict[str, str] | None = None, flags: dict[str, object] | None = None) -> str:
    """What load says about these settings."""
    with pytest.raises(UsageError) as caught:
        config.load(file, env or {}, flags or {})
    assert caught.value.exit_code == 2
    return caught.value.what


def test_nothing_said_gives_the_defaults() -> None:
    """Without flags, environment and file every setting is as written in config.py, and says so."""
    resolved = config.load(None, {}, {})
    assert resolved.config == Config()
    assert set(resolved.origin.values()) == {"default"}


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    """The strongest voice wins, and the origin says whose it was."""
    file = toml(tmp_path, "[fetch]\nattempts = 2\nidle_timeout_s = 60\nbreaker_failures = 9\n")
    env = {"THETABULK_FETCH_ATTEMPTS": "3", "THETABULK_FETCH_IDLE_TIMEOUT_S": "2m", "PATH": "/bin"}
    resolved = config.load(file, env, {"fetch.attempts": 7})
    assert resolved.config.fetch == FetchConfig(attempts=7, idle_timeout_s=120.0, breaker_failures=9)
    assert resolved.origin["fetch.attempts"] == "flag --attempts"
    assert resolved.origin["fetch.idle_timeout_s"] == "environment THETABULK_FETCH_IDLE_TIMEOUT_S"
    assert resolved.origin["fetch.breaker_failures"] == f"file {file}"
    assert resolved.origin["fetch.launch_gap_s"] == "default"
    assert resolved.value("fetch.attempts") == 7


def test_flags_that_were_not_given_say_nothing() -> None:
    """None, False and an empty list are what a command line without the flag looks like."""
    flags: dict[str, object] = {"run.strict": False, "run.chunk_size": None, "job.symbols": []}
    assert config.load(None, {"THETABULK_RUN_STRICT": "yes"}, flags).config.run.strict


@pytest.mark.parametrize(
    ("variable", "raw", "name", "value"),
    [
        ("THETABULK_STORE", "/Volumes/T7/options", "store.path", "/Volumes/T7/options"),
        ("THETABULK_URL", "http://127.0.0.1:1", "terminal.url", "http://127.0.0.1:1"),
        ("THETABULK_TIER", "pro", "terminal.tier", "pro"),
        ("THETABULK_WORKERS", "4", "fetch.workers_min", 4),
        ("THETABULK_WORKERS", "4", "fetch.workers_max", 4),
        ("THETABULK_WORKERS", "2-6", "fetch.workers_max", 6),
        ("THETABULK_JOB_SYMBOLS", "QQQ, SPY", "job.symbols", ("QQQ", "SPY")),
        ("THETABULK_JOB_FROM", "2016-08-04", "job.from", date(2016, 8, 4)),
        ("THETABULK_JOB_MAX_DTE", "45", "job.max_dte", 45),
        ("THETABULK_STORE_READBACK", "off", "store.readback", False),
        ("THETABULK_RUN_MAX_DURATION_S", "1h30m", "run.max_duration_s", 5400.0),
    ],
)
def test_the_environment_is_read_as_text(variable: str, raw: str, name: str, value: object) -> None:
    """Every setting has a variable, the common ones a short one too."""
    resolved = config.load(None, {variable: raw}, {})
    assert resolved.value(name) == value
    assert resolved.origin[name] == f"environment {variable}"


def test_an_empty_variable_is_unset() -> None:
    """`THETABULK_STORE= thetabulk …` takes a setting back for one command."""
    assert config.load(None, {"THETABULK_STORE": "", "THETABULK_NONSENSE": ""}, {}).config == Config()


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    """Three mistakes in three places are one message, each with its place and the nearest right name."""
    file = toml(tmp_path, "[fetch]\nlaunch_gap = 0.1\nattempts = 0\n[stor]\npath = 'x'\n")
    env = {"THETABULK_FETCH_ATTEMPT": "3"}
    what = problem(file, env, {"run.chunk_size": "many", "job.from": "2016-13-01"})
    assert what.splitlines() == [
        "6 problems in the settings:",
        f"  fetch.launch_gap in {file} is not a setting; did you mean fetch.launch_gap_s?",
        f"  [stor] in {file} is not a section; did you mean store?",
        "  THETABULK_FETCH_ATTEMPT in the environment is not a setting; did you mean THETABULK_FETCH_ATTEMPTS?",
        f"  fetch.attempts = 0 in {file}: must be at least 1",
        "  --chunk-size many: is not a whole number",
        "  --from 2016-13-01: is not a date; write it like 2016-08-04",
    ]


@pytest.mark.parametrize(
    ("workers", "why"),
    [
        ("0", "must be at least 1"),
        (0, "must be at least 1"),
        ("0-4", "must be at least 1"),
        ("12-3", "the range runs backwards; did you mean 3-12?"),
        ("four", "is neither a number nor a range; write it like 4 or 3-12"),
        ("-3", "is neither a number nor a range; write it like 4 or 3-12"),
        ("3-", "is neither a number nor a range; write it like 4 or 3-12"),
    ],
)
def test_impossible_workers_are_refused(workers: object, why: str) -> None:
    """`--workers` is a number from 1, or a range that runs upwards."""
    assert problem(flags={"fetch.workers": workers}) == f"--workers {workers}: {why}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[fetch]\nattempts = '4'", 'fetch.attempts = "4" in FILE: is not a whole number'),
        ("[fetch]\nattempts = true", "fetch.attempts = true in FILE: is not a whole number"),
        ("[fetch]\nlaunch_gap_s = nan", "fetch.launch_gap_s = nan in FILE: must be at least 0"),
        ("[fetch]\nidle_timeout_s = inf", "fetch.idle_timeout_s = inf in FILE: is not a number"),
        ("[fetch]\nidle_timeout_s = '2 weeks'", 'fetch.idle_timeout_s = "2 weeks" in FILE: is not a duration; '),
        ("[store]\nformat = 'feather'", 'store.format = "feather" in FILE: is none of parquet, csv, csv.zst'),
        ("[store]\nreadback = 1", "store.readback = 1 in FILE: is not true or false"),
        ("[job]\ninterval = '2m'", 'job.interval = "2m" in FILE: is none of tick, 10ms, '),
        ("[job]\nsymbols = [1]", "job.symbols = [1] in FILE: is not a list of names"),
        ("[job]\nfrom = 2016-08-04T09:30:00", "job.from = 2016-08-04 09:30:00 in FILE: is not a date"),
        ("[terminal]\ntier = 'gold'", "terminal.tier = \"gold\" in FILE: 'gold' is not a tier; "),
        ("[terminal]\ntier = 'bond=pro'", "terminal.tier = \"bond=pro\" in FILE: 'bond' is not an asset; "),
        ("[run]\nuntil = '7.30'", 'run.until = "7.30" in FILE: is not a time of day; write it like 07:30'),
        ("store = 'x'", "store in FILE must be a section: [store]"),
        ("[fetch]\nworkers_max = 2", "fetch.workers_min = 3 (default) is more than fetch.workers_max = 2 (file FILE)"),
        ("[job]\nfrom = 2024-02-01\nto = 2024-01-01", "job.from = 2024-02-01 (file FILE) is after job.to = 2024-01-01"),
        ("[fetch", "the config file FILE is not TOML: "),
    ],
)
def test_a_wrong_value_is_told_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    """One mistake in a config file is one sentence that names the file, the setting and the value."""
    file = toml(tmp_path, text)
    assert problem(file).startswith(why.replace("FILE", str(file)))


def test_a_config_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Somebody who names a file means it: its absence is no default."""
    assert problem(tmp_path / "absent.toml").startswith(f"the config file {tmp_path / 'absent.toml'} cannot be read: ")


def test_two_names_for_one_setting_must_agree() -> None:
    """THETABULK_STORE is short for THETABULK_STORE_PATH: which of two different values counts is not guessed."""
    what = problem(env={"THETABULK_STORE": "a", "THETABULK_STORE_PATH": "b"})
    assert what == "THETABULK_STORE_PATH=b: THETABULK_STORE=a says something else"


def test_the_chosen_file_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config, then THETABULK_CONFIG, then the user's own file if it exists."""
    mine = tmp_path / "mine.toml"
    monkeypatch.setattr(config, "user_file", lambda: mine)
    assert config.find_file(None, {}) is None
    mine.touch()
    assert config.find_file(None, {}) == mine
    assert config.find_file(None, {"THETABULK_CONFIG": "env.toml"}) == Path("env.toml")
    assert config.find_file(Path("flag.toml"), {"THETABULK_CONFIG": "env.toml"}) == Path("flag.toml")
    assert config.load(None, {"THETABULK_CONFIG": "env.toml"}, {}).config == Config()


def test_the_default_file_says_what_the_code_says() -> None:
    """configs/default.toml is config.default_file(), and loading it changes nothing."""
    assert (CONFIGS / "default.toml").read_text(encoding="utf-8") == config.default_file()
    assert config.load(CONFIGS / "default.toml", {}, {}).config == Config()
    assert all(f"{each.key} = " in config.default_file() for each in config.settings().values())


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.toml")), ids=lambda file: file.name)
def test_every_config_file_of_the_project_is_valid(file: Path) -> None:
    """What is shipped as an example works."""
    config.load(file, {}, {})


def test_the_example_job_is_the_eight_years_of_qqq() -> None:
    """`thetabulk download --config configs/qqq-2016-2024.toml` needs no further word."""
    job = config.load(CONFIGS / "qqq-2016-2024.toml", {}, {}).config.job
    assert (job.symbols, job.first, job.last) == (("QQQ",), date(2016, 8, 4), date(2024, 8, 2))


def test_tiers_are_one_word_or_one_per_asset() -> None:
    """A bare word is the tier of every asset; a later part may say otherwise for one."""
    assert config.parse_tiers("") == {}
    assert config.parse_tiers("option=standard, stock=Free") == {"option": Tier.STANDARD, "stock": Tier.FREE}
    assert config.parse_tiers("value") == dict.fromkeys(config.ASSETS, Tier.VALUE)
    assert config.parse_tiers("value,option=pro")["option"] is Tier.PRO


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("2h", 7200), ("1.5h", 5400), ("1h 30m", 5400), ("2d", 172_800)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    """A bare number is seconds; units may be joined."""
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "2x", "-2h", "2h30", "1 30", "٣h", "1e3"])
def test_other_durations_are_refused(text: str) -> None:
    """A duration that could be meant in two ways, or in none, is an error."""
    with pytest.raises(ValueError, match="is not a duration"):
        duration_s(text)


@given(st.times())
def test_a_wall_clock_time_is_read_back(moment: time) -> None:
    """Any time of day, to the minute."""
    assert clock_time(f"{moment:%H:%M}") == moment.replace(second=0, microsecond=0)


@given(st.dictionaries(st.sampled_from(sorted(config.settings())), st.text(max_size=8)))
def test_load_is_total(flags: dict[str, object]) -> None:
    """Whatever is typed, the answer is settings or a UsageError: no other exception gets out."""
    with suppress(UsageError):
        config.load(None, {}, flags)
