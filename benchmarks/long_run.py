"""Eight years of small days: does a late one cost what an early one did, and is a finished job seen at once?"""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.child import THETABULK, Cost, environment, median, run
from benchmarks.servers import simulator

FULL = (date(2016, 8, 4), date(2024, 8, 2))  # 2,012 sessions
QUICK = (date(2024, 1, 2), date(2024, 8, 2))
SMALL = "five-days"
"""A second store, of five days, for whoever needs a small one."""

_RESUMES = 5


def measure(scratch: Path, *, quick: bool, tell: Callable[[str], None]) -> dict[str, object]:
    """Seconds a day in the first and the last quarter, what `resume` and `status` take afterwards, and the ledger by
    itself: appends timed one by one, beside the plain write and sync of the same line."""
    first, last = QUICK if quick else FULL
    env = environment(scratch, THETABULK_FETCH_LAUNCH_GAP_S="0")
    store, events = scratch / "eight-years", scratch / "events.jsonl"
    tell(f"downloading {first} to {last}, small days, with contract lists")
    with simulator(("--size", "small"), env) as url:
        where = ("--store", str(store), "--url", url)
        wanted = ("--from", first.isoformat(), "--to", last.isoformat(), "--yes", "--json")
        cost = run([*THETABULK, "download", "QQQ", *wanted, *where], env=env, stdout=events)
        few = ("--from", "2024-07-29", "--to", "2024-08-02", "--yes", "--store", str(scratch / SMALL), "--url", url)
        run([*THETABULK, "download", "QQQ", *few], env=env)
        resumes = [run([*THETABULK, "resume", *where, "--json"], env=env) for _ in range(_RESUMES)]
    statuses = [run([*THETABULK, "status", "--store", str(store)], env=env) for _ in range(_RESUMES)]
    found = _run_figures(events, cost)
    tell(f"  {found['days']} days in {cost.wall_s:.0f} s")
    return found | {
        "resume_wall_s": round(median([each.wall_s for each in resumes]), 3),
        "status_wall_s": round(median([each.wall_s for each in statuses]), 3),
        "ledger": _ledger(scratch, env),
    }


def _run_figures(events: Path, cost: Cost) -> dict[str, object]:
    with events.open(encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines if '"shard_finished"' in line]
    ended = [datetime.fromisoformat(event["at"]).timestamp() for event in told if event["outcome"] == "saved"]
    if len(ended) != len(told) or len(ended) < 4:
        raise RuntimeError(f"{len(ended)} of {len(told)} days were saved")
    gaps = [later - earlier for earlier, later in pairwise(ended)]
    quarter = len(gaps) // 4
    return {
        "days": len(ended), "wall_s": round(cost.wall_s, 2), "cpu_s": round(cost.cpu_s, 2),
        "peak_bytes": cost.peak_bytes,
        "first_quarter_s_a_day": round(sum(gaps[:quarter]) / quarter, 5),
        "last_quarter_s_a_day": round(sum(gaps[-quarter:]) / quarter, 5),
    }  # fmt: skip


def _ledger(scratch: Path, env: Mapping[str, str]) -> object:
    said = run([THETABULK[0], "-m", "benchmarks.ledger", str(scratch / "ledger")], env=env, keep_stdout=True)
    return json.loads(said.stdout)
