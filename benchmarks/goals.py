"""What the figures should be, and whether they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DOUBLE, DECIMAL, FOUR = "thetabulk, double", "thetabulk, decimal", "thetabulk, 4 workers"
UNSAMPLED = "thetabulk, none printed again"
SAMPLED_OF = 50
"""One file in so many is printed again and compared as a whole, the first of a run among them (store.sample_every)."""
PACE_MB_S = 50
"""At which a day arrives where the share of checking is measured: a Terminal at its fastest is at 12 to 20."""

BY_HAND = ("curl + DuckDB, 1 thread", "curl + DuckDB, 2 threads")


@dataclass(frozen=True, slots=True)
class Goal:
    """`met` is None where a figure is only told."""

    text: str
    wanted: str
    shown: str
    met: bool | None


def judged(document: Mapping[str, Any]) -> Iterator[Goal]:
    """The goals of those parts that were measured."""
    if "whole way" in document:
        yield from _whole_way(document["whole way"])
    if "checking" in document:
        yield _checking(document["checking"])
    if "long run" in document:
        yield from _long_run(document["long run"])
    if "start-up" in document:
        yield from _start_up(document["start-up"])


def total(groups: Mapping[str, Any], contender: str, name: str) -> float:
    """Over all sizes of days."""
    return sum(float(group["contenders"][contender][name]) for group in groups.values())


def by_hand(groups: Mapping[str, Any]) -> str:
    """The better of the two, by processor time."""
    return min(BY_HAND, key=lambda contender: total(groups, contender, "cpu_s"))


def _whole_way(groups: Mapping[str, Any]) -> Iterator[Goal]:
    baseline = by_hand(groups)
    for text, contender, name, most in (
        ("processor time, against curl + DuckDB", DOUBLE, "cpu_s", 1.2),
        ("bytes with double prices, against DuckDB's", DOUBLE, "stored_bytes", 0.88),
        ("bytes with decimal prices, against DuckDB's", DECIMAL, "stored_bytes", 0.72),
    ):
        ratio = total(groups, contender, name) / total(groups, baseline, name)
        yield Goal(text, f"≤ {most} ×", f"{ratio:.2f} ×", ratio <= most)
    yield _long_job(groups, baseline)
    peaks = [int(group["contenders"][FOUR]["peak_bytes"]) for group in groups.values()]
    yield Goal("peak memory of 4 workers", "≤ 600 MB", f"{_most_mb(peaks)} MB", max(peaks) <= 600_000_000)
    spread = max(peaks) / min(peaks) - 1
    yield Goal("the same for small and large days", "± 10 %", f"{spread:+.0%}", spread <= 0.1)


def _long_job(groups: Mapping[str, Any], baseline: str) -> Goal:
    """What was measured has one file in a few printed again; in a long job it is one in fifty."""
    days = sum(len(group["days"]) for group in groups.values())
    plain = total(groups, UNSAMPLED, "cpu_s")
    printing = total(groups, DOUBLE, "cpu_s") - plain  # of one day in each group
    ratio = (plain + printing * days / len(groups) / SAMPLED_OF) / total(groups, baseline, "cpu_s")
    return Goal(
        "the same in a long job, where one day in fifty is printed again", "stretch ≤ 0.85 ×", f"{ratio:.2f} ×", None
    )


def _checking(found: Mapping[str, Any]) -> Goal:
    share, pace = found["wall_share"], found["pace_mb_s"]
    text = f"checks and read-back, of the time of a day at {pace} MB/s (of its processor time {found['cpu_share']:.0%})"
    return Goal(text, "≤ 10 %", f"{share:.1%}", share <= 0.1)


def _most_mb(peaks: Sequence[int]) -> int:
    return round(max(peaks) / 1e6)


def _long_run(found: Mapping[str, Any]) -> Iterator[Goal]:
    ledger = found["ledger"]
    first, last = (ledger[name]["record_us"] / ledger[name]["plain_us"] for name in ("first_quarter", "last_quarter"))
    text = f"an append to the ledger, against a plain write and sync (the last quarter of {ledger['records']:,})"
    yield Goal(text, "as in the first", f"{last:.1f} × (first {first:.1f} ×)", last <= 1.2 * first)
    ratio = found["last_quarter_s_a_day"] / found["first_quarter_s_a_day"]
    text = f"a day, the last quarter of {found['days']:,} against the first"
    yield Goal(text, "≤ 1.2 ×", f"{ratio:.2f} ×", ratio <= 1.2)
    seconds = found["resume_wall_s"]
    yield Goal(f"resume of {found['days']:,} finished days", "< 1 s", f"{seconds:.2f} s", seconds < 1)


def _start_up(found: Mapping[str, Any]) -> Iterator[Goal]:
    base = found["import typer"]["wall_ms"]
    ratio = found["thetabulk --help"]["wall_ms"] / base
    yield Goal("thetabulk --help, against `import typer`", "≤ 1.3 ×", f"{ratio:.2f} ×", ratio <= 1.3)
    ratio = found["thetabulk status"]["wall_ms"] / base
    least = found["a Typer command with one option"]["wall_ms"] / base
    text = "thetabulk status of five days, against the same (Typer's least command with an option: "
    yield Goal(f"{text}{least:.2f} ×)", "–", f"{ratio:.2f} ×", None)
    heavy = sorted({*found["modules of --help"]["heavy"], *found["modules of status"]["heavy"]})
    yield Goal("heavy libraries that these two import", "none", ", ".join(heavy) or "none", not heavy)
