"""Events as JSON Lines."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, get_args

import pytest

from tests.unit.report.events_of_a_run import QQQ, STATUS_ROW, empty, failed, refused, run_started, saved, shard
from thetabulk.events import (
    AttemptFailed,
    BoundaryFound,
    BytesReceived,
    Checking,
    Event,
    Notice,
    RunFinished,
    ShardFinished,
    ShardStarted,
)
from thetabulk.model import Boundary, Outcome, Proof
from thetabulk.report.jsonl import JsonScreen, document, event_name

START = datetime(2024, 8, 3, 6, 30, tzinfo=UTC)


def lines_of(*events: tuple[float, Event]) -> list[dict[str, Any]]:
    """What is written for these events, each at its second, read back."""
    stream, seconds = StringIO(), [0.0]
    with JsonScreen(stream, lambda: START + timedelta(seconds=seconds[0])) as screen:
        for at, event in events:
            seconds[0] = at
            screen.emit(event)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_event_has_a_name() -> None:
    """In snake case, and none twice."""
    names = [event_name(kind) for kind in get_args(Event)]
    assert len(set(names)) == len(names)
    assert {"run_started", "shard_finished", "bytes_received", "finished"} <= set(names)


def test_a_saved_day_says_everything_about_itself() -> None:
    """Shard, request and proof stand beside each other, as in the ledger."""
    assert document(ShardFinished(saved(0, 40_000_000, Proof.REMARKS, "crossed quotes")), START) == {
        "event": "shard_finished",
        "at": "2024-08-03T06:30:00.000+00:00",
        "outcome": "saved",
        "dataset": "option/quote/1m",
        "selection": "",
        "symbol": "QQQ",
        "day": "2024-08-02",
        "request": "/v3/option/history/quote?symbol=QQQ",
        "attempts": 1,
        "seconds": 0.0,
        "terminal": "",
        "tier": "",
        "proof": "remarks",
        "rows": 1000,
        "contracts": 100,
        "bytes": 4_000_000,
        "mtime_ns": 0,
        "sha256": "00",
        "vendor_bytes": 40_000_000,
        "vendor_xxh3": "11",
        "content": "22",
        "remarks": ["crossed quotes"],
    }


@pytest.mark.parametrize(
    ("outcome", "name"), [(saved(0), "saved"), (empty(0), "empty"), (refused(0), "refused"), (failed(0), "failed")]
)
def test_outcomes_are_told_apart(outcome: Outcome, name: str) -> None:
    """One event for all four, with the outcome in it."""
    assert document(ShardFinished(outcome), START)["outcome"] == name


def test_collections_and_boundaries_are_objects() -> None:
    """Where there can be several of a thing, or it has a name of its own, it is not spread out."""
    started = document(run_started(), START)
    assert started["collections"] == [{"dataset": "option/quote/1m", "selection": "", "symbol": "QQQ"}]
    assert started["first"] == "2016-08-04"
    assert started["workers"] == [3, 12]
    found = document(BoundaryFound(Boundary(QQQ, "vendor", shard(0).day, ("no rows on 2016-07-29",))), START)
    assert found["boundary"] == {
        "dataset": "option/quote/1m",
        "selection": "",
        "symbol": "QQQ",
        "kind": "vendor",
        "day": "2024-08-02",
        "evidence": ["no rows on 2016-07-29"],
        "message": "",
    }


def test_the_last_line_is_the_document_of_the_run() -> None:
    """`{"event": "finished", "collections": […], "run": {…}, "exit_code"}`."""
    last = lines_of((0.0, run_started()), (1.0, RunFinished(3, (STATUS_ROW,), {"saved": 1})))[-1]
    assert last == {
        "event": "finished",
        "at": "2024-08-03T06:30:01.000+00:00",
        "exit_code": 3,
        "collections": [STATUS_ROW],
        "run": {"saved": 1},
    }


def test_received_bytes_are_told_once_a_second() -> None:
    """They come a hundred times a second; the sum is never wrong."""
    events: list[tuple[float, Event]] = [(0.0, ShardStarted(shard(0)))]
    events += [(index / 100, BytesReceived(shard(0), 1_000)) for index in range(250)]
    events += [(2.5, Checking(shard(0))), (2.6, ShardFinished(saved(0)))]
    lines = lines_of(*events)
    assert [line["event"] for line in lines] == [
        "shard_started",
        "bytes_received",
        "bytes_received",
        "bytes_received",
        "checking",
        "shard_finished",
    ]
    assert sum(line["count"] for line in lines if line["event"] == "bytes_received") == 250_000


def test_bytes_of_a_lost_attempt_are_told_before_its_end() -> None:
    """The order of the lines is the order of what happened."""
    lines = lines_of(
        (0.0, BytesReceived(shard(0), 7)),
        (0.1, AttemptFailed(shard(0), 1, "cut", "the connection was cut", 2.0, last=False)),
    )
    assert [(line["event"], line.get("count")) for line in lines] == [("bytes_received", 7), ("attempt_failed", None)]


def test_json_cannot_steer_a_terminal() -> None:
    """It may be looked at there: control codes of either kind and changes of direction are written as numbers."""
    stream = StringIO()
    JsonScreen(stream, lambda: datetime(2026, 11, 21, tzinfo=UTC)).emit(Notice("\x1b[2J \x9b31m \u202e …"))
    assert stream.getvalue().isascii()
    assert stream.getvalue().rstrip("\n").isprintable()
    assert json.loads(stream.getvalue())["message"] == "\x1b[2J \x9b31m \u202e …"
