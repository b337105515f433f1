"""Real-size days through the whole way, against curl and DuckDB: processor time, bytes, memory.

Every contender gets the same recorded bytes from the same server, in processes of its own, in turns. thetabulk runs
with the default settings of `download`: checks, proof, flush and read-back are all in. The baseline is one curl process
that fetches all days to disk, and one DuckDB process that converts them; it neither checks nor flushes.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

from benchmarks.child import THETABULK, Cost, environment, median, run
from benchmarks.replay import Recorded, record
from benchmarks.servers import replay, simulator
from thetabulk.model import Collection, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import contracts_request, dataset, request_for, symbols_request

SYMBOL, DATASET = "QQQ", "option/quote/1m"
FIRST_DAYS = {"1 M rows a day": date(2017, 6, 12), "3.4 M rows a day": date(2024, 1, 2)}
MEMORY_WORKERS = 4
_STATUS = "/v3/terminal/mdds/status"
_stores = count()


@dataclass(frozen=True, slots=True)
class Group:
    """Days of about one size, as recorded."""

    name: str
    days: tuple[date, ...]
    targets: tuple[str, ...]
    csv_bytes: int

    @property
    def range(self) -> tuple[str, ...]:
        return ("--from", self.days[0].isoformat(), "--to", self.days[-1].isoformat())


def measure(scratch: Path, *, days: int, repeats: int, tell: Callable[[str], None]) -> dict[str, object]:
    """The figures as a JSON document; `days` of each size, each contender `repeats` times."""
    env = environment(scratch)
    groups = _record(scratch, env, days, tell)
    samples: dict[str, list[dict[str, object]]] = {}
    with replay(scratch / "recorded", env) as url:
        for turn in range(repeats):
            for group in groups:
                for name, sample in _turn(scratch, env, url, group):
                    tell(f"  {turn + 1}/{repeats} {group.name}: {name}: {sample['cpu_s']:.2f} cpu-s")
                    samples.setdefault(f"{group.name}|{name}", []).append(sample)
    return _document(groups, samples)


def _record(scratch: Path, env: Mapping[str, str], wanted: int, tell: Callable[[str], None]) -> list[Group]:
    """Every answer that a download of these days asks for, rendered once by a simulator."""
    tell(f"rendering {wanted} days of each size")
    kind, collection = dataset(DATASET), Collection(DATASET, "", SYMBOL)
    by_group = {name: _sessions(first, wanted) for name, first in FIRST_DAYS.items()}
    data = {day: f"{request_for(Shard(collection, day), kind)}" for days in by_group.values() for day in days}
    small = [_STATUS, str(symbols_request()), *(str(contracts_request(SYMBOL, day)) for day in data)]
    with simulator(("--size", "real"), env) as url:
        answers = record(url, [*small, *data.values()], scratch / "recorded")
    sizes = {answer.target: _body_bytes(answer) for answer in answers}
    return [
        Group(name, days, tuple(data[day] for day in days), sum(sizes[data[day]] for day in days))
        for name, days in by_group.items()
    ]


def _body_bytes(answer: Recorded) -> int:
    if answer.status != 200:
        raise RuntimeError(f"the simulator answered {answer.status} to {answer.target}")
    return answer.body_bytes


def _sessions(first: date, wanted: int) -> tuple[date, ...]:
    found: Sequence[date] = Calendar.load().sessions(first, first.replace(month=first.month + 2))
    return tuple(found[:wanted])


def _turn(scratch: Path, env: Mapping[str, str], url: str, group: Group) -> Iterator[tuple[str, dict[str, object]]]:
    """Each contender once, the result removed at once."""
    yield "thetabulk, double", _thetabulk(scratch, env, url, group, "--prices", "double")
    fetched, files = _curl(scratch, env, url, group)
    for threads in (1, 2):
        yield f"curl + DuckDB, {threads} thread{'s'[: threads - 1]}", _duckdb(scratch, env, files, threads, fetched)
    shutil.rmtree(scratch / "curl")
    yield "thetabulk, decimal", _thetabulk(scratch, env, url, group, "--prices", "decimal")
    without = {**env, "THETABULK_STORE_SAMPLE_EVERY": "0"}
    yield "thetabulk, none printed again", _thetabulk(scratch, without, url, group, "--prices", "double")
    workers = ("--prices", "double", "--workers", str(MEMORY_WORKERS))
    yield f"thetabulk, {MEMORY_WORKERS} workers", _thetabulk(scratch, env, url, group, *workers)


def _thetabulk(scratch: Path, env: Mapping[str, str], url: str, group: Group, *options: str) -> dict[str, object]:
    store = scratch / f"store-{next(_stores)}"  # never a path twice: a known store that is gone is a missing drive
    command = ["download", SYMBOL, *group.range, "--store", str(store), "--url", url, "--yes", "--quiet", *options]
    cost = run([*THETABULK, *command], env=env)
    saved = _saved_days(store)
    if len(saved) != len(group.days) or any(day["proof"] != "full" for day in saved):
        raise RuntimeError(f"{len(saved)} of {len(group.days)} days were saved, or not all are proven: {saved}")
    sample = _sample(cost, sum(int(str(day["bytes"])) for day in saved))
    shutil.rmtree(store)
    return sample | {"rows": sum(int(str(day["rows"])) for day in saved)}


def _saved_days(store: Path) -> list[dict[str, object]]:
    lines = (store / ".thetabulk" / "ledger.jsonl").read_text(encoding="ascii").splitlines()
    records = [json.loads(line) for line in lines]
    return [record for record in records if record["kind"] == "day" and record["outcome"] == "saved"]


def _curl(scratch: Path, env: Mapping[str, str], url: str, group: Group) -> tuple[Cost, list[Path]]:
    folder = scratch / "curl"
    folder.mkdir()
    files = [folder / f"{day}.csv" for day in group.days]
    words: list[str | Path] = ["curl", "--silent", "--show-error", "--fail", "--globoff"]
    for file, target in zip(files, group.targets, strict=True):
        words += ["--output", file, url + target]
    return run(words, env=env), files


def _duckdb(
    scratch: Path, env: Mapping[str, str], files: Sequence[Path], threads: int, fetched: Cost
) -> dict[str, object]:
    pairs = [path for file in files for path in (file, file.with_suffix(".parquet"))]
    words = [THETABULK[0], "-m", "benchmarks.duckdb_copy", str(threads), *map(str, pairs)]
    cost = run(words, env=env)
    written = sum(file.with_suffix(".parquet").stat().st_size for file in files)
    both = Cost(cost.cpu_s + fetched.cpu_s, cost.wall_s + fetched.wall_s, max(cost.peak_bytes, fetched.peak_bytes), 0)
    return _sample(both, written) | {"curl_cpu_s": fetched.cpu_s}


def _sample(cost: Cost, stored_bytes: int) -> dict[str, object]:
    return {
        "cpu_s": cost.cpu_s, "wall_s": cost.wall_s, "peak_bytes": cost.peak_bytes, "stored_bytes": stored_bytes
    }  # fmt: skip


def _document(groups: Sequence[Group], samples: Mapping[str, list[dict[str, object]]]) -> dict[str, object]:
    """Per size and contender the medians (of memory: the most), and every sample's CPU seconds."""
    document: dict[str, object] = {}
    for group in groups:
        contenders = {}
        for label, taken in samples.items():
            name, _, contender = label.partition("|")
            if name == group.name:
                contenders[contender] = _summary(taken)
        rows = max(int(str(each.get("rows", 0))) for each in contenders.values())
        document[group.name] = {
            "days": [day.isoformat() for day in group.days], "rows": rows, "csv_bytes": group.csv_bytes,
            "contenders": contenders,
        }  # fmt: skip
    return document


def _summary(taken: Sequence[Mapping[str, object]]) -> dict[str, object]:
    def column(name: str) -> list[float]:
        return [float(str(sample[name])) for sample in taken]

    found: dict[str, object] = {
        "cpu_s": round(median(column("cpu_s")), 3), "cpu_s_samples": [round(each, 3) for each in column("cpu_s")],
        "wall_s": round(median(column("wall_s")), 3), "peak_bytes": round(max(column("peak_bytes"))),
        "stored_bytes": round(column("stored_bytes")[0]),
    }  # fmt: skip
    if "rows" in taken[0]:
        found["rows"] = taken[0]["rows"]
    if "curl_cpu_s" in taken[0]:
        found["curl_cpu_s"] = round(median(column("curl_cpu_s")), 3)
    return found
