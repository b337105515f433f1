"""Writes docs/promises.md, and its short form in README.md: promise, test, last figures, seed; then the faults.

python docs/make_promises.py         from docs/promises.toml, and tests/chaos/figures.json as the last runs left it
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE / "promises.toml"
TARGET = HERE / "promises.md"
README = HERE.parent / "README.md"
FIGURES = HERE.parent / "tests" / "chaos" / "figures.json"
TIERS = ("ci", "release")
NOT_RUN = "not run yet"
_SHORT = re.compile(r"(?<=<!-- promises -->\n).*?(?=<!-- /promises -->)", re.DOTALL)
_GROUPS = {
    "A": "The process",
    "B": "The drive",
    "C": "Answers",
    "D": "The Terminal as a process of ours",
    "E": "Time and machine",
    "F": "Security",
}
_HEAD = """# What is promised, and what tests it

Written by `docs/make_promises.py` from `docs/promises.toml` and from the figures of the last runs of `tests/chaos/`;
`tests/test_promises.py` fails if a fault has no test and no reason, or if a test named here does not exist.

A figure says how often it was tried, and how often the promise was broken; **ci** is `make chaos`, **release** is
`make chaos-release`. `--seed` repeats a run: `tests/chaos/run.sh .venv/bin/python -k random_kills --seed 42`. "not run
yet" is said where there is no figure. All of it ran on Linux against the simulator: see [what works](status.md).

## Promises

| promise | tests | last figures | seed |
|---|---|---|---|
"""
_FAULTS_HEAD = """
## Faults that were thought of

Each with the tests that cover it, or why there is none. *Open* is what the tests leave untried.
"""


def promises() -> dict[str, Any]:
    """docs/promises.toml as it stands."""
    return tomllib.loads(SOURCE.read_text(encoding="utf-8"))


def figures() -> list[dict[str, Any]]:
    """What the last runs have found; empty if there was none."""
    found: list[dict[str, Any]] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else []
    return found


def document(data: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """docs/promises.md."""
    rows = [
        f"| {one['text']} | {_tests(one['tests'])} | {_figures(one, found)} | {_seeds(one, found)} |"
        for one in data["promise"]
    ]
    return _HEAD + "\n".join(rows) + "\n" + _FAULTS_HEAD + "".join(_group(data["fault"], letter) for letter in _GROUPS)


def short_form(data: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """The table in README.md: the promises that are marked as short, and how often they were tried."""
    rows = [f"| {one['text']} | {_tried(one, found)} |" for one in data["promise"] if one.get("short")]
    return "\n".join(["| promise | tried: broken |", "|---|---|", *rows]) + "\n"


def with_short_form(readme: str, table: str) -> str:
    """README.md with the table between its marks."""
    return _SHORT.sub(lambda _: table, readme)


def _of(name: str, tier: str, found: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((one for one in found if (one["name"], one["tier"]) == (name, tier)), None)


def _figures(promise: dict[str, Any], found: list[dict[str, Any]]) -> str:
    if not promise["figures"]:
        return "in `make test`"
    return "<br>".join(f"{name}: {_figure(name, found)}" for name in promise["figures"])


def _figure(name: str, found: list[dict[str, Any]]) -> str:
    told = [f"{tier} {_count(one)} ({one['date']})" for tier in TIERS if (one := _of(name, tier, found))]
    return ", ".join(told) or NOT_RUN


def _count(one: dict[str, Any]) -> str:
    return f"{one['count']:,} {one['unit']}, {one['violations']} broken"


def _seeds(promise: dict[str, Any], found: list[dict[str, Any]]) -> str:
    return "<br>".join(
        " ".join(f"{one['seed']}" for tier in TIERS if (one := _of(name, tier, found))) or "–"
        for name in promise["figures"]
    )


def _tried(promise: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """Sums of one tier, the stronger one if all of its figures are there; units that differ stand beside each other."""
    for tier in reversed(TIERS):
        known = [one for name in promise["figures"] if (one := _of(name, tier, found))]
        if known and len(known) == len(promise["figures"]):
            break
    if not known:
        return NOT_RUN if promise["figures"] else "in `make test`"
    sums: dict[str, int] = {}
    for one in known:
        sums[one["unit"]] = sums.get(one["unit"], 0) + one["count"]
    told = ", ".join(f"{count:,} {unit}" for unit, count in sums.items())
    missing = len(promise["figures"]) - len(known)
    rest = f"; {missing} of {len(promise['figures'])} {NOT_RUN}" if missing else ""
    return f"{told}: {sum(one['violations'] for one in known)}{rest}"


def _group(faults: dict[str, dict[str, Any]], letter: str) -> str:
    rows = [f"| {name} | {row['text']} | {_covered(row)} |" for name, row in faults.items() if name.startswith(letter)]
    return "\n".join(["", f"### {_GROUPS[letter]}", "", "| | fault | tests |", "|---|---|---|", *rows, ""])


def _covered(row: dict[str, Any]) -> str:
    parts = [_tests(row["tests"])] if row.get("tests") else []
    parts += [f"*No test:* {row['reason']}."] if row.get("reason") else []
    parts += [f"*Open:* {row['gap']}."] if row.get("gap") else []
    return "<br>".join(parts)


def _tests(names: list[str]) -> str:
    """Each test with a link to its file."""
    links = []
    for name in names:
        path, _, test = name.partition("::")
        links.append(f"[{test.removeprefix('test_').replace('_', ' ')}](../{path})")
    return "<br>".join(links)


def main() -> None:
    """Writes both."""
    data, found = promises(), figures()
    TARGET.write_text(document(data, found), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(with_short_form(readme, short_form(data, found)), encoding="utf-8")


if __name__ == "__main__":
    main()
