"""The map in docs/architecture.md, checked: who may import whom, and which file owns which library."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "thetabulk"
BASE = {"model", "events", "errors", "config", "settings", "state", "redaction", "wording", "__version__"}
PARTS = {"cli", "assembly", "plan", "run", "fetch", "store", "ledger", "report", "terminal", "simulator", "query"}
MAY_SEE = {"cli": {"assembly", "report"}, "simulator": {"model", "__version__"}}  # the others: themselves and the base
DOORS = {
    "aiohttp": "fetch/client.py fetch/webhook.py terminal/probe.py terminal/fetching.py simulator/server.py",
    "asyncio": "assembly cli/ run/pause.py run/pipeline.py fetch/client.py fetch/feeder.py fetch/fetcher.py "
    "fetch/gate.py fetch/retry.py terminal/ simulator/",
    "datetime.now": "assembly cli/ simulator/",
    "date.today": "assembly cli/ simulator/",
    "duckdb": "query.py query/",
    "filelock": "ledger/ terminal/keeper.py",
    "numpy": "store/",
    "os.environ": "config.py",
    "os.getenv": "config.py",
    "pandas": "plan/calendar.py",
    "pandas_market_calendars": "plan/calendar.py",
    "platformdirs": "config.py state.py",
    "psutil": "terminal/",
    "pyarrow": "store/",
    "random": "assembly cli/ simulator/",
    "rich": "report/",
    "subprocess": "terminal/ report/services.py",  # which takes the quoting of Windows from it, and starts nothing
    "tenacity": "fetch/retry.py",
    "time": "assembly cli/ simulator/",
    "tomllib": "config.py simulator/settings.py",
    "typer": "cli/",
    "tzdata": "",  # zoneinfo finds it by itself
    "wakepy": "assembly",
    "xxhash": "store/",
    "zstandard": "store/",
}


CATCHES_ALL = {  # the only places that catch whatever there is and do not raise it again, and why they may
    ("cli/app.py", "main"): "a mistake of ours: told shortly, kept in full, exit code 1",
    ("run/pipeline.py", "_outcome"): "the worker's edge: a mistake of ours costs one day",
    ("run/pipeline.py", "_answer"): "the same for a question about a boundary: it costs an answer",
    ("assembly/doctor/gathering.py", "answer"): "raised again in the thread that asked",
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every name that a module imports, dotted; a relative import begins with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def attributes(tree: ast.AST) -> Iterator[str]:
    """Every `name.attribute` in the source: the clock and the environment are used without an import of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def faults(where: str, source: str) -> list[str]:
    """What is wrong with a module at `where` (its path in the package, with slashes), judged by its imports."""
    tree = ast.parse(source)
    part = where.split("/", maxsplit=1)[0].removesuffix(".py")
    found = [
        f"{name} does not belong in {where}"
        for name in {name.split(".")[0] for name in imports(tree)} | set(attributes(tree)) | set(imports(tree))
        if not where.startswith(tuple(DOORS.get(name, where).split()))
    ]
    allowed = MAY_SEE.get(part, set()) | {part} | (set() if part == "simulator" else BASE)
    for name in imports(tree):
        library, _, inner = name.partition(".")
        if name.startswith("."):
            found.append(f"{where}: absolute imports only, they say where things come from")
        elif library == "thetabulk" and part != "assembly" and inner.split(".")[0] not in allowed:
            found.append(f"{where} must not know {inner}")
    return found


def catches_all(tree: ast.AST, function: str = "") -> Iterator[str]:
    """The function around every bare `except`, every `except` (and `suppress`) of Exception or BaseException that does
    not end in a plain `raise`: one that does only tidies up on the way."""
    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        function = tree.name
    if isinstance(tree, ast.ExceptHandler) and (tree.type is None or _is_all(tree.type)):
        last = tree.body[-1]
        if not (isinstance(last, ast.Raise) and last.exc is None):
            yield function
    suppresses = isinstance(tree, ast.Call) and ast.unparse(tree.func) in {"suppress", "contextlib.suppress"}
    if isinstance(tree, ast.Call) and suppresses and any(map(_is_all, tree.args)):
        yield function
    for child in ast.iter_child_nodes(tree):
        yield from catches_all(child, function)


def _is_all(caught: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id in {"Exception", "BaseException"} for node in ast.walk(caught))


def test_whatever_there_is_is_caught_at_the_edges_only() -> None:
    """Everywhere else a mistake of ours has to come out; a place that is no longer there leaves the list."""
    found = {
        (path.relative_to(PACKAGE).as_posix(), function)
        for path in PACKAGE.rglob("*.py")
        for function in catches_all(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(CATCHES_ALL)


@pytest.mark.parametrize(
    "source",
    [
        "try: work()\nexcept: pass",
        "try: work()\nexcept Exception: pass",
        "try: work()\nexcept (ValueError, BaseException) as error: print(error)",
        "try: work()\nexcept* Exception: pass",
        "try: work()\nexcept BaseException as error: raise ValueError from error",
        "try: work()\nexcept Exception:\n    if odd(): raise",
        "with suppress(Exception): work()",
    ],
)
def test_a_catch_of_everything_is_seen(source: str) -> None:
    """Each of these hides mistakes of ours."""
    indented = source.replace("\n", "\n    ")
    assert list(catches_all(ast.parse(f"async def f():\n    {indented}"))) == ["f"]


@pytest.mark.parametrize(
    "source",
    [
        "try: work()\nexcept ValueError: pass",
        "try: work()\nexcept BaseException:\n    tidy()\n    raise",
        "with suppress(OSError): work()",
    ],
)
def test_a_narrow_catch_and_tidying_up_are_not(source: str) -> None:
    """What is raised again is not hidden."""
    assert list(catches_all(ast.parse(source))) == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_map_is_true(path: Path) -> None:
    """No file imports a part or a library that is not its own."""
    where = path.relative_to(PACKAGE).as_posix()
    assert faults(where, path.read_text(encoding="utf-8")) == []


def test_every_folder_and_file_is_on_the_map() -> None:
    """A new part is named here before it exists, so that its neighbours are thought of first."""
    names = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix in ("", ".py")}
    assert names - {"__pycache__", "__init__", "__main__", "py.typed"} <= PARTS | BASE


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("store/part.py", "import aiohttp"),
        ("store/part.py", "from thetabulk.fetch.client import Client"),
        ("fetch/breaker.py", "from time import monotonic"),
        ("plan/planner.py", "import asyncio"),
        ("plan/planner.py", "from datetime import date\ntoday = date.today()"),
        ("run/walk.py", "import asyncio"),
        ("simulator/server.py", "from thetabulk.errors import UsageError"),
        ("report/live.py", "from thetabulk import assembly"),
        ("report/plain.py", "import os\ncolour = os.environ.get('NO_COLOR')"),
        ("cli/status.py", "from thetabulk.store.layout import path_of"),
        ("cli/status.py", "import rich.table"),
        ("model.py", "from thetabulk.store import layout"),
        ("fetch/retry.py", "from . import client"),
        ("ledger/journal.py", "def read():\n    import pyarrow.parquet"),
    ],
)
def test_a_wrong_import_is_told(where: str, source: str) -> None:
    """The test above would see it: each of these sources breaks the map."""
    assert faults(where, source)


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("assembly/run.py", "import asyncio, time\nfrom thetabulk.fetch.client import Client"),
        ("cli/app.py", "import typer\nfrom thetabulk import __version__, assembly\nfrom thetabulk.report import live"),
        ("store/rows.py", "import pyarrow.csv, numpy\nfrom thetabulk.store.style import Style"),
        ("simulator/market.py", "import random\nfrom thetabulk.model import Tier"),
    ],
)
def test_a_right_import_is_not(where: str, source: str) -> None:
    """These sources are as the map wants them."""
    assert faults(where, source) == []
