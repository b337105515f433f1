"""What a simulator can be told, and the command line that tells it.

    python -m thetabulk.simulator --port 25503 --tier standard --size small --faults "cut:p=0.05"

`thetabulk simulate` takes the same options through `parse_arguments`.
"""

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from thetabulk.model import Tier
from thetabulk.simulator.faults import Fault, make_fault, parse_faults
from thetabulk.simulator.manners import AS_USUAL, Manners, read_manners

CACHE_BYTES = {"small": 32 << 20, "real": 512 << 20}


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Everything about a simulator; the same config and the same requests give the same answers.

    `port` 0 takes a free one. `today` None is the system's date in New York. `floor` replaces the tier's first day.
    `places` 0 means the tier's. `half_day_rows` 0 means as trading hours say. `cache_bytes` None means by size.
    `manners` is how another vendor would say the same.
    """

    port: int = 0
    seed: int = 1
    size: str = "small"
    line_format: str = "live"
    tier: Tier = Tier.STANDARD
    floor: date | None = None
    floor_answer: int = 403
    places: int = 0
    queue: int = 16
    today: date | None = None
    holes: tuple[tuple[date, date], ...] = ()
    half_day_rows: int = 0
    faults: tuple[Fault, ...] = ()
    cache_bytes: int | None = None
    start_delay_s: float = 0.0
    manners: Manners = AS_USUAL

    @property
    def small(self) -> bool:
        return self.size == "small"

    @property
    def cache_limit(self) -> int:
        return CACHE_BYTES[self.size] if self.cache_bytes is None else self.cache_bytes


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m thetabulk.simulator",
        allow_abbrev=False,
        description="A Theta Terminal v3 stand-in: deterministic option data, an account's limits, failures on cue.",
        epilog="How faults are written: the beginning of thetabulk/simulator/faults.py.",
    )
    add = parser.add_argument
    add("--port", type=int, default=25503, help="port on 127.0.0.1; 0 takes a free one (%(default)s)")
    add("--seed", type=int, default=1, help="decides every byte (%(default)s)")
    add("--size", choices=("small", "real"), default="small", help="a few dozen contracts a day, or thousands")
    add("--line-format", choices=("live", "spec"), default="live", help="how rows are printed (%(default)s)")
    add("--tier", type=_tier, help="free, value, standard (if nothing else says it) or pro")
    add("--floor", type=_day, metavar="DATE", help="first day that the account may see, instead of the tier's")
    add("--floor-answer", type=int, choices=(403, 472), default=403, help="answer below the first day (%(default)s)")
    add("--places", type=int, default=0, metavar="N", help="requests served at once, instead of the tier's number")
    add("--queue", type=int, default=16, metavar="N", help="requests that may wait; more are answered 429")
    add("--today", type=_day, metavar="DATE", help="the simulator's today; the system's date in New York without it")
    add("--hole", type=_range, action="append", default=[], metavar="FROM:TO", help="days without data; repeatable")
    add("--half-day-grid", type=int, choices=(211, 226, 391, 406), default=0, help="one-minute rows on half-days")
    add("--profile", type=Path, metavar="FILE", help="serve as this vendor profile says (doctor --probe --bundle FILE)")
    add("--faults", default="", metavar="SPEC", help="for example 'cut:p=0.05;429:from=100,to=120'")
    add("--scenario", type=Path, metavar="FILE", help="a TOML file with any of these settings, and faults")
    add("--cache-mb", type=int, metavar="N", help="generated days kept in memory (32 small, 512 real)")
    add("--start-delay", type=float, default=0.0, metavar="S", help="seconds before the port opens")
    return parser


def parse_arguments(argv: Sequence[str]) -> SimulatorConfig:
    """The config that a command line means; it beats the scenario file. Exits with 2 when it makes no sense."""
    parser = argument_parser()
    scenario = parser.parse_args(argv).scenario
    try:
        settings, faults = _scenario(scenario) if scenario else ({}, ())
        found = parser.parse_args([*_as_arguments(settings), *argv])
        faults = (*parse_faults(found.faults), *faults)
        manners = read_manners(found.profile) if found.profile else AS_USUAL
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return SimulatorConfig(
        port=found.port, seed=found.seed, size=found.size, line_format=found.line_format,
        tier=found.tier or manners.tiers.get("option", Tier.STANDARD), floor=found.floor,
        floor_answer=found.floor_answer, places=found.places, queue=found.queue, today=found.today,
        holes=tuple(found.hole), half_day_rows=found.half_day_grid, faults=faults,
        cache_bytes=None if found.cache_mb is None else found.cache_mb << 20, start_delay_s=found.start_delay,
        manners=manners,
    )  # fmt: skip


def _scenario(path: Path) -> tuple[dict[str, object], tuple[Fault, ...]]:
    """The `[simulator]` table and the `[[fault]]` tables of a file. Raises OSError and ValueError."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = set(tables) - {"simulator", "fault"}
    if unknown:
        raise ValueError(f"{path}: there is no table {min(unknown)!r}; there are simulator and fault")
    faults = []
    for place, table in enumerate(tables.get("fault", []), 1_000):
        options = {key: "+".join(value) if isinstance(value, list) else value for key, value in table.items()}
        faults.append(make_fault(str(options.pop("name", "")), options, place))
    return tables.get("simulator", {}), tuple(faults)


def _as_arguments(settings: dict[str, object]) -> list[str]:
    return [
        f"--{key.replace('_', '-')}={each}"
        for key, value in settings.items()
        for each in (value if isinstance(value, list) else [value])
    ]


def _tier(text: str) -> Tier:
    try:
        return Tier.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day like 2020-03-02") from None


def _range(text: str) -> tuple[date, date]:
    first, _, last = text.partition(":")
    return _day(first), _day(last or first)
