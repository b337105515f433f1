"""Puts the figures of benchmarks/results/latest.json into the README, between its markers.

python benchmarks/readme_table.py            writes
python benchmarks/readme_table.py --check    only says whether the README is up to date
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.goals import DECIMAL, DOUBLE, by_hand, judged

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- figures: begin, written by benchmarks/readme_table.py -->", "<!-- figures: end -->"


def main() -> int:
    """1 with --check if the README says something else than the results."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    document = json.loads((ROOT / "benchmarks" / "results" / "latest.json").read_text(encoding="utf-8"))
    fresh = with_figures(text, document)
    if "--check" in sys.argv:
        return int(fresh != text)
    readme.write_text(fresh, encoding="utf-8")
    return 0


def with_figures(text: str, document: Mapping[str, Any]) -> str:
    """The text with what stands between the markers replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([f"{before}{BEGIN}", *figures(document), f"{END}{after}"])


def figures(document: Mapping[str, Any]) -> list[str]:
    """Where it was measured, the goals, and the whole way by size of day."""
    return [*_where(document), "", *_goals(document), "", *_sizes(document["whole way"]), "", *_others(document)]


def _where(document: Mapping[str, Any]) -> Iterator[str]:
    machine = document["machine"]
    libraries = ", ".join(f"{name} {machine['libraries'][name]}" for name in ("aiohttp", "pyarrow", "duckdb"))
    yield (
        f"Measured {document['at']} with thetabulk {document['version']} against the simulator: {machine['cores']} × "
        f"{machine['processor']}, {machine['memory_gb']:.0f} GB, {machine['filesystem']}, {machine['system']}, "
        f"{machine['python']}, {libraries}."
    )
    yield (
        f"Processes that wanted a processor before and after: {document['load_before']} and {document['load_after']}; "
        "what is more than a few makes seconds longer, and memory and bytes not."
    )
    if document["quick"]:
        yield "A quick look only: few days, one turn."


def _goals(document: Mapping[str, Any]) -> Iterator[str]:
    yield "| what | measured | goal | |"
    yield "|---|---:|---:|---|"
    for goal in judged(document):
        word = {True: "met", False: "**missed**", None: ""}[goal.met]
        yield f"| {goal.text} | {goal.shown} | {goal.wanted} | {word} |"


def _sizes(groups: Mapping[str, Any]) -> Iterator[str]:
    baseline = by_hand(groups)
    yield "| days | contender | CPU-s for each GB of CSV | wall-s for each GB | peak MB | bytes a row |"
    yield "|---|---|---:|---:|---:|---:|"
    for name, group in groups.items():
        gigabytes = group["csv_bytes"] / 1e9
        days = f"{len(group['days'])} × {name}, {gigabytes:.2f} GB"
        for contender in (DOUBLE, DECIMAL, baseline):
            found = group["contenders"][contender]
            yield (
                f"| {days} | {contender} | {found['cpu_s'] / gigabytes:.2f} | {found['wall_s'] / gigabytes:.2f} "
                f"| {found['peak_bytes'] / 1e6:.0f} | {found['stored_bytes'] / group['rows']:.2f} |"
            )


def _others(document: Mapping[str, Any]) -> Iterator[str]:
    parse, long_run = document["parse"]["cpu_s_a_gb"], document["long run"]
    readers = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parse.items())
    yield f"Reading CSV alone, in one thread, CPU-s for each GB: {readers}."
    yield (
        f"{long_run['days']:,} small days with their contract lists, launch gap 0: {long_run['wall_s']:.0f} s; "
        f"`status` of them {long_run['status_wall_s']:.2f} s."
    )


if __name__ == "__main__":
    sys.exit(main())
