"""All the figures of the README, in one run: `make bench`, or `python benchmarks/run.py --quick`.

Writes benchmarks/results/latest.json; `python benchmarks/readme_table.py` puts it into the README. Nothing here is a
test: a figure that misses its goal is told as such, and never breaks a build.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import checking, long_run, machine, startup, whole_way
from benchmarks.child import environment, run
from benchmarks.goals import judged
from thetabulk import __version__

RESULTS = Path(__file__).parent / "results"
_PARTS = ("whole-way", "checking", "long-run", "start-up", "parse")


def main() -> int:
    """Measures, writes the document, tells the goals."""
    arguments = _arguments()
    scratch = Path(tempfile.mkdtemp(prefix="thetabulk-bench-", dir=arguments.scratch))
    try:
        document = measured(scratch, arguments, _tell)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    target = arguments.output or RESULTS / ("quick.json" if arguments.quick else "latest.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    _tell(f"written: {target}")
    for goal in judged(document):
        word = {True: "met", False: "MISSED", None: ""}[goal.met]
        _tell(f"  {word:6}  {goal.text}: {goal.shown} (goal {goal.wanted})")
    return 0


def measured(scratch: Path, arguments: argparse.Namespace, tell: Callable[[str], None]) -> dict[str, object]:
    """The document with the parts that are wanted."""
    quick = arguments.quick
    document: dict[str, object] = {
        "version": __version__, "at": datetime.now(UTC).date().isoformat(), "quick": quick,
        "machine": machine.describe(scratch), "load_before": machine.load(),
    }  # fmt: skip
    wanted = arguments.only or _PARTS
    if {"whole-way", "parse"} & set(wanted):
        days, repeats = arguments.days or (2 if quick else 6), arguments.repeats or (1 if quick else 3)
        document["whole way"] = whole_way.measure(scratch, days=days, repeats=repeats, tell=tell)
    if "parse" in wanted:
        document["parse"] = _parse(scratch, repeats=3 if quick else 7)
    shutil.rmtree(scratch / "recorded", ignore_errors=True)
    if "checking" in wanted:
        document["checking"] = checking.measure(scratch, repeats=1 if quick else 5, tell=tell)
        shutil.rmtree(scratch / "checking")
    if {"long-run", "start-up"} & set(wanted):
        document["long run"] = long_run.measure(scratch, quick=quick, tell=tell)
    if "start-up" in wanted:
        store = scratch / long_run.SMALL
        document["start-up"] = startup.measure(scratch, store, repeats=9 if quick else 15, tell=tell)
    return document | {"load_after": machine.load()}


def _parse(scratch: Path, repeats: int) -> object:
    """The first day of the smaller size: the first answer that is large."""
    index = json.loads((scratch / "recorded" / "index.json").read_text(encoding="utf-8"))
    answer = next(each for each in index if each["body_bytes"] > 10_000_000)
    day = answer["target"].partition("&date=")[2].partition("&")[0]
    words = [sys.executable, "-m", "benchmarks.parse", str(scratch / "recorded" / answer["file"]), day, str(repeats)]
    return json.loads(run(words, env=environment(scratch), keep_stdout=True).stdout)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer days and turns: a look, no figures to publish")
    parser.add_argument("--days", type=int, help="real-size days of each size (default 6, quick 2)")
    parser.add_argument("--repeats", type=int, help="turns of each contender (default 3, quick 1)")
    parser.add_argument("--only", action="append", choices=_PARTS, help="a part; may be said several times")
    parser.add_argument("--scratch", type=Path, help="where the days go meanwhile: some 5 GB")
    parser.add_argument("--output", type=Path, help="where the document goes")
    return parser.parse_args()


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
