"""Settings: frozen, resolved once, handed out in slices.

Flags > `THETABULK_*` environment > config file (TOML) > the defaults written here; a test keeps
configs/default.toml equal to them. Every time-out, gap and limit of the documents is a field of one of the
sections, with its reason. This is the only file that looks at the environment and that reads TOML.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from thetabulk.errors import UsageError
from thetabulk.model import INTERVALS_MS, Right, Tier
from thetabulk.settings import (
    Given,
    Setting,
    as_toml,
    catalogue,
    clock_time,
    from_environment,
    from_tables,
    nearest,
    read,
    setting,
    webhook_url,
)

ASSETS = ("option", "stock", "index", "rate")
_JAVA_OPTION = re.compile(
    r"-X(?:mx|ms|ss)[1-9]\d{0,8}[kKmMgG]|-XX:\+(?:Use(?:G1|Z|Serial|Parallel)GC|(?:Exit|Crash)OnOutOfMemoryError)"
    r"|-XX:(?:Max|Initial)RAMPercentage=[1-9]\d(?:\.\d)?|-Djava\.net\.preferIPv[46]\w{0,9}=(?:true|false)"
)


def parse_tiers(text: str) -> dict[str, Tier]:
    """`parse_tiers("option=standard,stock=free")` is a tier per asset; one bare word is the tier of all of them.

    "" is no tier at all: it is learned. ValueError for anything else.
    """
    tiers: dict[str, Tier] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        asset, equals, word = part.rpartition("=")
        if equals and asset not in ASSETS:
            raise ValueError(f"{asset!r} is not an asset{nearest(asset, ASSETS) or '; they are ' + ', '.join(ASSETS)}")
        tiers |= dict.fromkeys((asset,) if equals else ASSETS, Tier.parse(word))
    return tiers


def java_option(text: str) -> None:
    """ValueError for an option that is not on the list: Java options can run programs, and print passwords."""
    if not _JAVA_OPTION.fullmatch(text):
        raise ValueError("is no option for Java that may be set here: -Xmx4g, -Xms1g, -Xss2m, -XX:+UseZGC, "
                         "-XX:+UseG1GC, -XX:MaxRAMPercentage=50, -XX:+ExitOnOutOfMemoryError, "
                         "-Djava.net.preferIPv4Stack=true")  # fmt: skip


@dataclass(frozen=True, slots=True)
class TerminalConfig:
    """Which Terminal, and what the account is taken to be."""

    url: str = setting("http://127.0.0.1:25503", "Where the Theta Terminal listens.", at_home=True)
    allow_remote: bool = setting(False, "Ask a Terminal that is not on this machine.", at_home=True)
    tier: str = setting(
        "",
        'The subscription: "standard", or per asset "option=standard,stock=free". Empty: it is learned, and standard '
        "is assumed meanwhile.",
        check=parse_tiers,
    )
    start_wait_s: float = setting(10.0, "An absent Terminal ends the run after this time, unless `wait`.", least=0)
    wait: bool = setting(False, "At the start, wait for a missing drive, a full disk or an absent Terminal.")
    manage: bool = setting(
        False, "Start a Terminal for the length of a run, if none answers, and keep it in service.",
        flag="--manage-terminal",
    )  # fmt: skip
    jar_url: str = setting(
        "https://downloads.thetadata.us/ThetaTerminalv3.jar",
        "Where `thetabulk terminal fetch` takes it from.",
        at_home=True,
    )
    java_needed: int = setting(21, "The oldest Java that the Terminal runs with, as the vendor says.", least=8)
    java_options: tuple[str, ...] = setting(
        (),
        "Options for Java, from a short list: -Xmx4g, -Xms1g, …",
        check=java_option,
        example='["-Xmx4g"]',
        at_home=True,
    )
    start_timeout_s: float = setting(
        90.0, "A Terminal that has not answered, and said nothing more, for this long after its start is started anew.",
        least=0.001,
    )  # fmt: skip
    start_limit_s: float = setting(
        900.0, "The same, if it goes on talking: a first start fetches the real Terminal, for minutes.", least=0.001
    )
    stop_grace_s: float = setting(
        10.0, "How long a Terminal may take to stop when it is asked, and again after TERM, before KILL.", least=0.001
    )
    port_wait_s: float = setting(60.0, "Before a start: how long a port that somebody has is waited for.", least=0)
    hang_s: float = setting(
        120.0, "A Terminal that answers nothing at all for this long hangs. Any answer is life, also 429.", least=0.001
    )
    probe_first_s: float = setting(1.0, "Between two looks at a Terminal that is starting; it grows.", least=0.001)
    probe_every_s: float = setting(10.0, "Between two looks while it is well and no data flow.", least=0.001)
    probe_timeout_s: float = setting(5.0, "For the answer to such a look.", least=0.001)
    poll_first_s: float = setting(5.0, "Between two looks while it is not connected; it doubles.", least=0.001)
    poll_max_s: float = setting(60.0, "The longest time between two such looks.", least=0.001)
    tick_s: float = setting(0.25, "How often it is asked whether the process still lives.", least=0.001)
    restart_first_s: float = setting(
        2.0, "Before a restart: a random part of this × 2^n, at most `restart_max_s` (full jitter).", least=0
    )
    restart_max_s: float = setting(60.0, "The longest such wait.", least=0)
    restarts_few: int = setting(3, "The most restarts within `restarts_few_s`; one more waits.", least=1)
    restarts_few_s: float = setting(600.0, "See `restarts_few`.", least=0)
    restarts_most: int = setting(10, "The most restarts within `restarts_most_s`; then it is given up.", least=1)
    restarts_most_s: float = setting(86_400.0, "See `restarts_most`.", least=0)
    stable_s: float = setting(60.0, "Only a Terminal that was connected for so long makes failures forgotten.", least=0)
    session_max_s: float = setting(
        3_600.0, "The cool-down after a taken session (run.session_cooldown_s) doubles up to this.", least=0
    )
    quiet_s: float = setting(130.0, 'After a 429, or "too many requests": no start and no look for this long.', least=0)
    log_bytes: int = setting(10_485_760, "The Terminal's log is rotated at this size.", least=1_024)
    log_keep: int = setting(3, "So many rotated logs are kept.", least=0)
    java: str = setting("", "The Java that runs the Terminal. Empty: JAVA_HOME, then the PATH.", at_home=True)
    jar: str = setting(
        "", "The Terminal's jar. Empty: ThetaTerminalv3.jar in the home folder, or in its thetadata.", at_home=True
    )
    credentials: str = setting(
        "", "The file with the account's address and password. Empty: creds.txt beside the jar.", at_home=True
    )


@dataclass(frozen=True, slots=True)
class FetchConfig:
    """How requests are made."""

    workers_min: int = setting(3, "The fewest requests in flight while all goes well.", least=1)
    workers_max: int = setting(12, "The most requests in flight, if the account allows them.", least=1)
    launch_gap_s: float = setting(
        0.150, "Between two starts: the Terminal drops connections under sustained load without it.", least=0
    )
    connect_timeout_s: float = setting(5.0, "For a connection to the Terminal.", least=0.001)
    first_byte_timeout_s: float = setting(
        900.0, "For the first byte of an answer: the Terminal may think for minutes over a large day.", least=0.001
    )
    idle_timeout_s: float = setting(180.0, "An answer that stands still for this long is given up.", least=0.001)
    idle_progress_bytes: int = setting(
        65_536, "What an answer must bring within each `idle_timeout_s`: a drip is a stall that hides.", least=1
    )
    attempts: int = setting(4, "Attempts for one day in one round.", least=1)
    backoff_first_s: float = setting(
        1.0, "Before another attempt: a random part of this × 2^n, at most `backoff_max_s` (full jitter).", least=0
    )
    backoff_max_s: float = setting(60.0, "The longest such wait.", least=0)
    retry_after_max_s: float = setting(600.0, "A longer Retry-After of the Terminal is cut to this.", least=0)
    retry_share: float = setting(
        0.5, "Retries, as a share of the days asked for: what is not granted is asked again in the next round.", least=0
    )
    retry_share_in_outage: float = setting(0.1, "The same while the breaker sees an outage.", least=0)
    breaker_failures: int = setting(5, "Failed requests in a row that stop all requests but a probe.", least=1)
    breaker_first_s: float = setting(
        1.0, "The wait before the first probe; it doubles (trebles while somebody answers).", least=0
    )
    breaker_max_s: float = setting(
        30.0, "The longest wait between probes while nobody is there: a small question is enough.", least=0
    )
    breaker_failing_max_s: float = setting(
        600.0, "The longest wait between probes while all answers are bad: these are requests for data.", least=0
    )
    body_ceiling_bytes: int = setting(8_589_934_592, "An answer larger than this is broken.", least=1)
    allow_close_delimited: bool = setting(
        False, "Take answers that end with their connection, which cannot be told from cut ones."
    )
    batch_bytes: int = setting(1_048_576, "Handed from the network to the parser at once.", least=1_024)


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """First contact: `thetabulk doctor --probe`."""

    limit_s: float = setting(150.0, "After this time no further question is asked.", least=0)
    patience_s: float = setting(60.0, "For the answer to one question.", least=0.001)
    answer_bytes: int = setting(33_554_432, "An answer larger than this is given up.", least=1)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How the walk over the days goes."""

    chunk_size: int = setting(50, "Trading days that the walk backwards may look ahead.", least=1)
    max_consecutive_empty: int = setting(
        20, "So many empty days in a row, and it is probed whether the vendor's data end there.", least=1
    )
    settle_sessions: int = setting(10, "An empty day younger than this is asked again in every run.", least=0)
    schema_drifts: int = setting(3, "So many changed headers in a row stop the run.", least=1)
    wrong_requests: int = setting(3, 'So many days answered with "you asked wrongly" stop the run.', least=1)
    rounds: int = setting(10, "At most so many rounds over the days that failed.", least=0)
    pause_limit_s: float = setting(43_200.0, "A pause in mid-run (no drive, no Terminal) ends after this.", least=0)
    pause_poll_s: float = setting(2.0, "How often a pause looks whether it is over.", least=0)
    session_cooldown_s: float = setting(
        600.0,
        "When another login has taken the account's session: nothing is asked for this long, then one small request. "
        "The vendor frees a session in 5 to 15 minutes.",
        least=0,
    )
    connection_poll_first_s: float = setting(
        5.0, "While the Terminal has lost the vendor's servers (474, 571): until the first look; it doubles.", least=0
    )
    connection_poll_max_s: float = setting(60.0, "The longest time between two such looks.", least=0)
    connection_probe_max_s: float = setting(
        300.0, "The same while the Terminal says that it is connected, and data requests say that it is not.", least=0
    )
    blocked_s: float = setting(
        1.0, "When nothing else could go on for this long, it is told where (0: nobody looks).", least=0
    )
    asleep_s: float = setting(
        30.0, "Nothing of ours ran for longer (sleep, Ctrl-Z): what was in flight begins again.", least=0.1
    )
    drain_s: float = setting(30.0, "After the first Ctrl-C the transfers in flight have this long.", least=0)
    max_duration_s: float = setting(0.0, 'Stop after this time, like "2h" (0: no limit).', least=0)
    until: str = setting("", 'Stop at this time of day, like "07:30" (empty: no limit).', check=clock_time)
    strict: bool = setting(False, "Days saved without full proof count as failed in the exit code.")
    schema_drift: str = setting(
        "stop", "What a changed header does; keep: an appended column is allowed.", choices=("stop", "keep")
    )


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where and how data are written."""

    path: str = setting("", "The folder of the store. Empty: the one that was used last.", flag="--store")
    format: str = setting(
        "parquet", "What a new store holds: parquet, csv or csv.zst.", choices=("parquet", "csv", "csv.zst")
    )
    prices: str = setting(
        "double", "How a new Parquet store holds prices; decimal is smaller and exact.", choices=("double", "decimal")
    )
    row_group_rows: int = setting(524_288, "Rows in a Parquet row group.", least=1_024)
    compression_level: int = setting(3, "Of zstd.", least=1)
    readback: bool = setting(True, "Read every file back before it counts as saved.")
    sample_every: int = setting(
        50, "Of the committed files, one in so many is printed again and compared as a whole (0: none).", least=0
    )
    reserve_bytes: int = setting(67_108_864, "Kept free so that the ledger can always be written.", least=0)
    free_floor_bytes: int = setting(536_870_912, "No transfer starts when less than this is free.", least=0)
    quarantine_bytes: int = setting(10_737_418_240, "The most that the kept openings of bad answers may take.", least=0)


@dataclass(frozen=True, slots=True)
class ScreenConfig:
    """What is shown, and how."""

    json: bool = setting(False, "JSON to stdout.")
    quiet: bool = setting(False, "Only errors and the last word.")
    verbose: bool = setting(False, "Every event; tracebacks of internal errors.")
    keep_awake: bool = setting(True, "Keep this machine awake while a download runs.")
    refresh_per_s: float = setting(4.0, "How often the screen is drawn.", least=0.1)


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The log of a run: every event as a line of JSON, in this user's state folder, never on the drive."""

    keep: int = setting(10, "The logs of so many runs are kept (0: none is written).", least=0)
    max_bytes: int = setting(16_777_216, "The most that the log of a run may take; its oldest half goes.", least=65_536)


@dataclass(frozen=True, slots=True)
class IncidentConfig:
    """When a run counts as stuck or limping, and who is told."""

    no_day_saved_s: float = setting(
        900.0, "No day saved for this long, while days are wanted, is an incident.", least=0.001
    )
    no_byte_s: float = setting(
        240.0, "Requests in flight, and not a byte for this long: told long before they time out.", least=0.001
    )
    alike: int = setting(5, "So many days in a row that failed in the same way, and none saved, are one.", least=2)
    slow_window_s: float = setting(
        900.0, "Goodput and the time that a megabyte takes are compared over such windows.", least=1
    )
    slow_factor: float = setting(
        3.0, "So many times less goodput, and megabytes that take so many times longer, count as slow.", least=1.1
    )
    restart_cooldown_s: float = setting(
        3_600.0, "A managed Terminal that has slowed down is restarted at most this often.", least=0
    )
    tell_after_s: float = setting(
        30.0, "The webhook and the command hear of what has lasted this long; the screen shows it at once.", least=0
    )
    webhook: str = setting(
        "", "Where incidents are posted to, as JSON: a URL. Its path is taken for a secret.", check=webhook_url,
        secret=True, at_home=True,
    )  # fmt: skip
    webhook_timeout_s: float = setting(5.0, "For such a post.", least=0.001)
    command: tuple[str, ...] = setting(
        (),
        "A program to run, with the incident as JSON on its input; no shell.",
        example='["notify-me", "--loud"]',
        at_home=True,
    )
    command_timeout_s: float = setting(30.0, "It is killed after this time.", least=0.001)
    heartbeat: str = setting("", "A file that is written over and over while a run lives: pid, state, last day saved.")
    heartbeat_every_s: float = setting(10.0, "How often that is.", least=0.001)


@dataclass(frozen=True, slots=True)
class DoctorConfig:
    """What `thetabulk doctor` asks, and how long it looks."""

    limit_s: float = setting(
        4.0, "For all checks together, which run at once; what takes longer is unknown.", least=0.1
    )
    quick_limit_s: float = setting(
        1.5, "The same for the quick form, which also runs before every download.", least=0.1
    )
    status_timeout_s: float = setting(1.5, "For the Terminal's status.", least=0.001)
    golden_timeout_s: float = setting(
        2.0, "For the golden request, which comes after it; a busy Terminal lets it wait.", least=0.001
    )
    golden_symbol: str = setting("QQQ", "What the golden request asks for: a known-good day must return rows.")
    golden_day: date | None = setting(date(2024, 8, 2), "Its day.")
    golden_expiration: date | None = setting(date(2024, 8, 16), "Its expiration: one, so that the answer is small.")
    wait_s: float = setting(600.0, "`doctor --wait` gives up after this time.", least=0)
    poll_first_s: float = setting(
        2.0, "How often it looks; with data requests that fail the time between two doubles.", least=0.001
    )
    poll_max_s: float = setting(60.0, "The longest such time.", least=0.001)
    descriptors_min: int = setting(128, "Fewer open files than this may not do for a download.", least=1)
    clock_drift_s: float = setting(60.0, "A clock that is so far from the Terminal's is wrong.", least=1)
    free_warn_bytes: int = setting(5_368_709_120, "Less room than this on the drive is worth a word.", least=0)
    drive_test_bytes: int = setting(67_108_864, "What the drive test writes at most, to measure.", least=1_048_576)
    drive_test_s: float = setting(1.5, "How long it writes at most.", least=0.1)
    drive_limit_s: float = setting(30.0, "A drive test that is not over by then is given up.", least=0.1)
    java_timeout_s: float = setting(2.5, "For `java -version`.", least=0.1)


@dataclass(frozen=True, slots=True)
class JobConfig:
    """What `thetabulk download` fetches, where the command line does not say it."""

    symbols: tuple[str, ...] = setting((), "The underlying symbols.", flag="SYMBOL", example='["QQQ", "SPY"]')
    first: date | None = setting(
        None, "The first day. Not said: the first day that the tier serves.", key="from", example="2016-08-04"
    )
    last: date | None = setting(None, "The last day. Not said: the last settled day.", key="to", example="2024-08-02")
    dataset: str = setting("option/quote", "What is fetched: option/quote, option/open_interest, option/eod, …")
    interval: str = setting("1m", "The time between two rows of a contract.", choices=tuple(INTERVALS_MS))
    max_dte: int | None = setting(None, "Only contracts that expire within so many days.", least=0, example="45")
    strike_range: int | None = setting(None, "Only so many strikes above and below the price.", least=1, example="20")
    right: str = setting("both", "Only calls, only puts, or both.", choices=tuple(Right))


@dataclass(frozen=True, slots=True)
class Config:
    terminal: TerminalConfig = field(default_factory=TerminalConfig)
    fetch: FetchConfig = field(default_factory=FetchConfig)
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    run: RunConfig = field(default_factory=RunConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    screen: ScreenConfig = field(default_factory=ScreenConfig)
    log: LogConfig = field(default_factory=LogConfig)
    incident: IncidentConfig = field(default_factory=IncidentConfig)
    doctor: DoctorConfig = field(default_factory=DoctorConfig)
    job: JobConfig = field(default_factory=JobConfig)


_SECTIONS: dict[str, Any] = {each.name: each.default_factory for each in fields(Config)}
_ALIASES = {
    "THETABULK_STORE": "store.path",
    "THETABULK_TIER": "terminal.tier",
    "THETABULK_URL": "terminal.url",
    "THETABULK_WORKERS": "fetch.workers",
}
_FILE_VARIABLE = "THETABULK_CONFIG"
_WORKERS = "fetch.workers"  # not a setting of its own: "4" or "3-12" stands for the least and the most
_IN_ORDER = (
    ("fetch.workers_min", "fetch.workers_max"),
    ("fetch.backoff_first_s", "fetch.backoff_max_s"),
    ("fetch.breaker_first_s", "fetch.breaker_max_s"),
    ("fetch.breaker_first_s", "fetch.breaker_failing_max_s"),
    ("run.connection_poll_first_s", "run.connection_poll_max_s"),
    ("terminal.poll_first_s", "terminal.poll_max_s"),
    ("terminal.restart_first_s", "terminal.restart_max_s"),
    ("terminal.start_timeout_s", "terminal.start_limit_s"),
    ("run.connection_poll_first_s", "run.connection_probe_max_s"),
    ("job.from", "job.to"),
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings, and where each came from: `origin["fetch.attempts"]` is "flag --attempts", "environment
    THETABULK_…", "file …" or "default"."""

    config: Config
    origin: Mapping[str, str]
    file: Path | None = None

    def value(self, name: str) -> object:
        """The value of a setting by its dotted name; KeyError if there is none."""
        each = settings()[name]
        return getattr(getattr(self.config, each.section), each.field)


@cache
def settings() -> dict[str, Setting]:
    """Every setting by its dotted name, in the order of the sections above."""
    return catalogue(_SECTIONS)


def default_file() -> str:
    """The text of configs/default.toml: every setting with its default and its reason."""
    return as_toml(settings().values(), {name: section.__doc__ for name, section in _SECTIONS.items()})


def environment() -> Mapping[str, str]:
    """The process's environment, for whoever passes it on."""
    return os.environ


def user_file() -> Path:
    """Where this user's config file is looked for."""
    from platformdirs import user_config_path

    return user_config_path("thetabulk", appauthor=False) / "config.toml"


def find_file(chosen: Path | None, env: Mapping[str, str]) -> Path | None:
    """The config file: as chosen, as THETABULK_CONFIG says, or this user's if there is one."""
    if chosen or env.get(_FILE_VARIABLE):
        return chosen or Path(env[_FILE_VARIABLE])
    return user_file() if user_file().is_file() else None


def is_at_home(file: Path) -> bool:
    """Whether the file lies on a volume of this machine: that of the user's folder, or the system's. A drive that
    travels may bring a config file along that somebody else has written (reliability.md §8)."""
    own = {place.stat().st_dev for place in (Path.home(), Path(Path.home().anchor)) if place.exists()}
    return file.stat().st_dev in own


def load(file: Path | None, env: Mapping[str, str], flags: Mapping[str, object]) -> Resolved:
    """Flags > environment > file > defaults. `flags` maps dotted names to values; None, False and () say nothing.

    Raises UsageError with every problem at once: unknown names (with the nearest known ones), wrong types, values
    out of range, values that contradict each other, a file that cannot be read.
    """
    values = {name: each.default for name, each in settings().items()}
    origin = dict.fromkeys(values, "default")
    at_home = {name for name, each in settings().items() if each.rule.at_home}
    gathered = list(_gathered(file, env, flags))
    problems = [given for given in gathered if isinstance(given, str)]
    for given in gathered:
        if isinstance(given, str):
            continue
        if file and given.origin == f"file {file}" and given.name in at_home and not is_at_home(file):
            problems.append(f"{given.name} ({file}): is not taken from a config file on another drive")
            continue
        try:
            for name, raw in _workers(given.raw) if given.name == _WORKERS else [(given.name, given.raw)]:
                values[name] = read(settings()[name], raw, text=given.text)
                origin[name] = given.origin
        except ValueError as error:
            secret = settings()[given.name].rule.secret if given.name != _WORKERS else False
            problems.append(f"{f'{given.name} ({given.origin})' if secret else given.shown}: {error}")
    problems += _contradictions(values, origin)
    if problems:
        raise _all_of(problems)
    return Resolved(_build(values), origin, file)


def _gathered(file: Path | None, env: Mapping[str, str], flags: Mapping[str, object]) -> Iterator[Given | str]:
    """What was given, the weakest first."""
    names = [*settings(), _WORKERS]
    if file:
        yield from from_tables(_parsed(file), str(file), names)
    variables = {each.variable: name for name, each in settings().items()} | _ALIASES
    yield from from_environment({name: env[name] for name in env if name != _FILE_VARIABLE}, variables)
    for name, raw in flags.items():
        if not (raw is None or raw is False or raw in ((), [])):  # 0 is a value, if often a wrong one
            flag = "--workers" if name == _WORKERS else settings()[name].flag
            yield Given(name, raw, f"flag {flag}", f"{flag} {raw}")


def _parsed(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"the config file {file} cannot be read: {error.strerror}", hint="thetabulk config init writes one"
        ) from error
    except ValueError as error:
        raise UsageError(f"the config file {file} is not TOML: {error}") from error


def _workers(raw: object) -> list[tuple[str, object]]:
    """`4` is four at least and at most, `3-12` a range."""
    least, dash, most = str(raw).replace("–", "-").partition("-")
    if not least.strip().isdecimal() or not (most if dash else least).strip().isdecimal():
        raise ValueError("is neither a number nor a range; write it like 4 or 3-12")
    first, last = int(least), int(most if dash else least)
    if first < 1:
        raise ValueError("must be at least 1")
    if first > last:
        raise ValueError(f"the range runs backwards; did you mean {last}-{first}?")
    return [("fetch.workers_min", first), ("fetch.workers_max", last)]


def _contradictions(values: Mapping[str, Any], origin: Mapping[str, str]) -> Iterator[str]:
    for low, high in _IN_ORDER:
        if None not in (values[low], values[high]) and values[low] > values[high]:
            word = "is after" if isinstance(values[low], date) else "is more than"
            yield f"{low} = {values[low]} ({origin[low]}) {word} {high} = {values[high]} ({origin[high]})"


def _all_of(problems: list[str]) -> UsageError:
    what = problems[0] if len(problems) == 1 else f"{len(problems)} problems in the settings:"
    return UsageError(
        "\n  ".join([what, *problems] if len(problems) > 1 else [what]),
        hint="every setting with its reason: thetabulk config show --defaults",
    )


def _build(values: Mapping[str, object]) -> Config:
    parts = {
        name: section(**{each.field: values[each.name] for each in settings().values() if each.section == name})
        for name, section in _SECTIONS.items()
    }
    return Config(**parts)
