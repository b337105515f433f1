"""No promise without a test, no fault without a test or a reason, and no number that no run has found."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from docs import make_promises

ROOT = Path(__file__).parent.parent
DATA = make_promises.promises()
PROMISES: list[dict[str, Any]] = DATA["promise"]
FAULTS: dict[str, dict[str, Any]] = DATA["fault"]
LAST = {"A": 13, "B": 27, "C": 19, "D": 15, "E": 7, "F": 12}
"""The fault catalogue: rows 1 to so many of each letter."""


def fails_as_expected(test: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is marked as such, or skipped for good: it covers nothing then."""
    return any(re.match(r"pytest\.mark\.(xfail|skip)\b", ast.unparse(mark)) for mark in test.decorator_list)


@cache
def functions(path: Path) -> frozenset[str]:
    """The functions at the top of a file, without those that are expected to fail; none if there is no such file."""
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds) and not fails_as_expected(node))


def figure_names() -> Iterator[str]:
    """A pattern for each name that the runs give their figures: what is filled in there may be anything."""
    for path in sorted((ROOT / "tests" / "chaos").glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "figures.add":
                name = node.args[0]
                parts = name.values if isinstance(name, ast.JoinedStr) else [name]
                yield "".join(re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in parts)


def rows() -> list[tuple[str, dict[str, Any]]]:
    return [*FAULTS.items(), *((one["text"], one) for one in PROMISES)]


def test_every_fault_of_the_catalogue_is_there() -> None:
    """In its order, and no other."""
    assert list(FAULTS) == [f"{letter}{number}" for letter, last in LAST.items() for number in range(1, last + 1)]


@pytest.mark.parametrize("row", FAULTS.values(), ids=FAULTS)
def test_a_fault_has_a_test_or_a_reason(row: dict[str, Any]) -> None:
    """One of both; what a test leaves open is said beside it."""
    assert row["text"]
    assert bool(row.get("tests")) != bool(row.get("reason"))
    assert set(row) <= {"text", "tests", "reason", "gap"}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise["text"])
def test_a_promise_has_a_test_and_says_where_its_figures_are(promise: dict[str, Any]) -> None:
    """Figures by the names that the runs give them; a test without any is one of `make test`."""
    patterns = list(figure_names())
    assert promise["tests"]
    for name in promise["figures"]:
        assert any(re.fullmatch(pattern, name) for pattern in patterns), f"no run gives a figure called {name!r}"
    if not promise["figures"]:
        assert not any(name.startswith("tests/chaos/") for name in promise["tests"])


@pytest.mark.parametrize(("name", "row"), rows(), ids=[name for name, _ in rows()])
def test_every_test_that_is_named_exists(name: str, row: dict[str, Any]) -> None:
    """A test that was renamed or removed takes its promise with it; one that is expected to fail covers nothing."""
    for one in row.get("tests", []):
        path, _, test = one.partition("::")
        assert test.startswith("test_"), f"{name}: {one}"
        assert test in functions(ROOT / path), f"{name}: there is no {one}"


def test_the_document_says_what_the_last_runs_have_found() -> None:
    """Also in the README."""
    again = "`python docs/make_promises.py` writes it anew"
    found = make_promises.figures()
    assert make_promises.TARGET.read_text(encoding="utf-8") == make_promises.document(DATA, found), again
    readme = make_promises.README.read_text(encoding="utf-8")
    assert readme.count("<!-- promises -->\n") == readme.count("<!-- /promises -->\n") == 1
    assert readme == make_promises.with_short_form(readme, make_promises.short_form(DATA, found)), again


def test_without_figures_no_number_is_told() -> None:
    """What was not run is said to be so."""
    document, short = make_promises.document(DATA, []), make_promises.short_form(DATA, [])
    assert document.count(": not run yet") == sum(len(one["figures"]) for one in PROMISES)
    assert not re.search(r"\d broken", document)
    assert not re.search(r"\d", re.sub(r"`.*?`", "", short))


def test_a_figure_is_told_with_its_tier_its_day_and_its_seed() -> None:
    """And a broken promise is not hidden; the README sums up one tier only."""
    found = [
        {"name": "x", "tier": "ci", "count": 1_500, "violations": 1, "seed": 7, "date": "2026-11-20", "unit": "kills"},
        {"name": "x", "tier": "release", "count": 9, "violations": 0, "seed": 8, "date": "2026-11-21", "unit": "kills"},
        {"name": "y", "tier": "ci", "count": 2, "violations": 0, "seed": 9, "date": "2026-11-21", "unit": "cuts"},
    ]
    data = {"promise": [{"text": "P", "short": True, "tests": ["a.py::test_b"], "figures": ["x", "y"]}], "fault": {}}
    assert (
        "| P | [b](../a.py) | x: ci 1,500 kills, 1 broken (2026-11-20), release 9 kills, 0 broken (2026-11-21)"
        "<br>y: ci 2 cuts, 0 broken (2026-11-21) | 7 8<br>9 |"
    ) in make_promises.document(data, found)
    assert "| P | 1,500 kills, 2 cuts: 1 |" in make_promises.short_form(data, found)
    assert "| P | 2 cuts: 0; 1 of 2 not run yet |" in make_promises.short_form(data, found[2:])
