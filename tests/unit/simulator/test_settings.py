"""The command line and the scenario file."""

from datetime import date
from pathlib import Path

import pytest

from thetabulk.model import Tier
from thetabulk.simulator.settings import SimulatorConfig, parse_arguments


def test_without_arguments_it_is_a_small_standard_account_on_the_terminals_port() -> None:
    """The config's own defaults, except for the port."""
    assert parse_arguments([]) == SimulatorConfig(port=25503)


def test_every_option_reaches_the_config() -> None:
    """The words of the command line as values."""
    words = (
        "--port 0 --seed 9 --size real --line-format spec --tier pro --floor 2019-03-07 --floor-answer 472 --places 3 "
        "--queue 2 --today 2024-09-03 --hole 2020-03-02:2020-03-06 --hole 2021-01-04 --half-day-grid 391 "
        "--cache-mb 1 --start-delay 0.5 --faults html:p=0.1"
    )
    found = parse_arguments(words.split())
    assert (found.port, found.seed, found.size, found.line_format, found.tier) == (0, 9, "real", "spec", Tier.PRO)
    assert (found.floor, found.floor_answer, found.places, found.queue) == (date(2019, 3, 7), 472, 3, 2)
    assert found.today == date(2024, 9, 3)
    assert found.holes == ((date(2020, 3, 2), date(2020, 3, 6)), (date(2021, 1, 4), date(2021, 1, 4)))
    assert (found.half_day_rows, found.cache_limit, found.start_delay_s) == (391, 1 << 20, 0.5)
    assert [fault.name for fault in found.faults] == ["html"]


def test_the_cache_is_larger_for_real_days() -> None:
    """A day of 2024 fits."""
    assert SimulatorConfig(size="real").cache_limit > 310_000_000 > SimulatorConfig().cache_limit


def test_a_scenario_file_sets_what_the_command_line_does_not(tmp_path: Path) -> None:
    """And adds its faults to those of the command line."""
    file = tmp_path / "storm.toml"
    file.write_text(
        '[simulator]\ntier = "value"\nseed = 5\nhole = ["2020-03-02:2020-03-06"]\nfloor_answer = 472\nfaults = "cut"\n'
        '[[fault]]\nname = "html"\np = 0.05\nsymbols = ["QQQ", "SPY"]\ndays = 2020-03-02\n'
    )
    found = parse_arguments(["--scenario", str(file), "--seed", "6"])
    assert (found.tier, found.seed, found.floor_answer, len(found.holes)) == (Tier.VALUE, 6, 472, 1)
    assert [(fault.name, dict(fault.options)) for fault in found.faults] == [
        ("cut", {}),
        ("html", {"p": "0.05", "symbols": "QQQ+SPY", "days": "2020-03-02"}),
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--faults", "explode"], "there is no fault 'explode'"),
        (["--tier", "gold"], "'gold' is not a tier"),
        (["--floor", "soon"], "is not a day like 2020-03-02"),
        (["--hole", "2020"], "is not a day"),
        (["--half-day-grid", "300"], "invalid choice"),
        (["--scenario", "/nowhere.toml"], "No such file"),
        (["--siz", "real"], "unrecognized arguments"),
    ],
)
def test_nonsense_is_a_usage_error(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Exit 2 with the reason; nothing is guessed or left out."""
    with pytest.raises(SystemExit) as caught:
        parse_arguments(arguments)
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[fault]]\nname = "explode"\n', "there is no fault 'explode'"),
        ('[[fault]]\nname = "html"\nq = 1\n', "html has no option 'q'"),
        ("[weather]\n", "there is no table 'weather'"),
        ("[simulator]\ncolour = 1\n", "unrecognized arguments: --colour=1"),
        ("[simulator\n", "Expected"),
    ],
)
def test_a_wrong_scenario_is_a_usage_error(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the name that is not known."""
    file = tmp_path / "storm.toml"
    file.write_text(text)
    with pytest.raises(SystemExit):
        parse_arguments(["--scenario", str(file)])
    assert told in capsys.readouterr().err
