"""How soon the program is there: --help and status, beside the bare import of the library that draws the help."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.child import THETABULK, Cost, environment, median, run

HEAVY = ("aiohttp", "duckdb", "numpy", "pandas", "pyarrow")
_LEAST = (
    "import typer\napp = typer.Typer(add_completion=False, rich_markup_mode=None)\n"
    "@app.command()\ndef least(store: str = ''): pass\napp()"
)
_CONTENDERS = {
    "import typer": (sys.executable, "-c", "import typer"),
    "a Typer command with one option": (sys.executable, "-c", _LEAST),  # Typer imports pydantic to read it
    "thetabulk --help": (*THETABULK, "--help"),
    "thetabulk status": (*THETABULK, "status", "--store"),
}
_MODULES = (
    "import contextlib, io, json, sys\nfrom thetabulk.cli.app import main\n"
    "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()): main()\n"
    f"print(json.dumps([len(sys.modules), [name for name in {HEAVY!r} if name in sys.modules]]))"
)


def measure(scratch: Path, store: Path, *, repeats: int, tell: Callable[[str], None]) -> dict[str, object]:
    """Medians of `repeats` runs in turns, with warm caches; and which modules are imported. `store` is any store."""
    env = environment(scratch)
    tell(f"starting {repeats} times")
    taken: dict[str, list[Cost]] = {name: [] for name in _CONTENDERS}
    for turn in range(repeats + 1):  # the first warms the caches up, and does not count
        for name, command in _CONTENDERS.items():
            words = [*command, str(store)] if command[-1] == "--store" else command
            cost = run(words, env=env)
            if turn:
                taken[name].append(cost)
    found: dict[str, object] = {}
    for name, costs in taken.items():
        wall, cpu = median([cost.wall_s for cost in costs]), median([cost.cpu_s for cost in costs])
        found[name] = {"wall_ms": round(wall * 1_000, 1), "cpu_ms": round(cpu * 1_000, 1)}
    for name, words in {"--help": ("--help",), "status": ("status", "--store", str(store))}.items():
        said = run([sys.executable, "-c", _MODULES, *words], env=env, keep_stdout=True).stdout
        count, heavy = json.loads(said.splitlines()[-1])
        found[f"modules of {name}"] = {"count": count, "heavy": heavy}
    return found
