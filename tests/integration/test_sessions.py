"""The Terminal loses its session, the vendor, its speed or a part of its subscription in mid-run: real processes."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.integration import stores
from tests.integration.commands import Done, Running, process
from tests.integration.serving import Served

Simulate = Callable[..., Served]
DAYS = ("--from", "2024-07-01", "--to", "2024-07-31", "--interval", "1h")
ALL = 22


@contextmanager
def download(url: str, home: Path, *more: str, **settings: str) -> Iterator[Running]:
    where = ("--url", url, "--store", str(home / "s"), "--json")
    with process("download", "QQQ", *DAYS, *where, *more, home=home, **settings) as running:  # type: ignore[arg-type]
        yield running


def done(url: str, home: Path, *more: str, **settings: str) -> Done:
    with download(url, home, *more, **settings) as running:
        return running.ended()


def causes(ended: Done, state: str = "began") -> list[str]:
    return [event["cause"] for event in ended.events("incident") if event["state"] == state]


def assert_whole(ended: Done, home: Path) -> None:
    """Every day is there and proven, and none was called failed on the way."""
    assert (ended.code, ended.counts) == (0, {"saved": ALL, "proven": ALL}), ended.told
    assert not [event for event in ended.events("shard_finished") if event["outcome"] != "saved"]
    assert ended.document["event"] == "finished"
    stores.assert_consistent(home / "s")


def test_a_taken_session_pauses_the_run_which_goes_on_by_itself(simulator: Simulate, tmp_path: Path) -> None:
    """478 for one of those in flight; then nothing at all for the cool-down, one try, and every day is had (row D7)."""
    terminal = simulator("--faults", "478:from=8,to=8")
    ended = done(terminal.url, tmp_path, THETABULK_RUN_SESSION_COOLDOWN_S="1.5")
    assert_whole(ended, tmp_path)
    assert causes(ended) == ["session-taken"]
    [paused, *_] = ended.events("paused")
    assert "HTTP 478: Invalid session ID" in paused["message"]
    assert paused["next_s"] == 1.5
    assert ended.document["run"]["paused_seconds"] >= 1.5
    assert len(terminal.data_requests) <= ALL + 6


def test_a_session_that_stays_taken_ends_the_run_with_7(simulator: Simulate, tmp_path: Path) -> None:
    """After the limit of a pause: status calls alone, one in each cool-down, and no day is recorded as failed."""
    terminal = simulator("--faults", "478:after=7;status:word=UNVERIFIED,from=2")
    ended = done(
        terminal.url, tmp_path, THETABULK_RUN_SESSION_COOLDOWN_S="0.5", THETABULK_RUN_PAUSE_LIMIT_S="2",
        THETABULK_RUN_PAUSE_POLL_S="0.1",
    )  # fmt: skip
    assert ended.code == 7
    assert "no valid session (UNVERIFIED)" in ended.told
    outcomes = list(stores.outcomes(tmp_path / "s").values())
    assert outcomes == ["saved"] * len(outcomes)
    assert 2 <= len(terminal.asked_for("mdds/status")) <= 1 + 2 / 0.5
    assert len(terminal.data_requests) <= 7 + 6


def test_the_cause_is_on_the_screen_within_five_seconds(simulator: Simulate, tmp_path: Path) -> None:
    """With what comes next, and what to do, for a person: plain lines here."""
    terminal = simulator("--faults", "478:after=7")
    began = time.monotonic()
    where = ("--url", terminal.url, "--store", str(tmp_path / "s"))
    with process("download", "QQQ", *DAYS, *where, home=tmp_path, THETABULK_RUN_SESSION_COOLDOWN_S="600") as running:
        while "STUCK since" not in running.err or "\nyou " not in running.err:
            assert time.monotonic() - began < 30, running.err
            time.sleep(0.05)
        lost_after_s = time.monotonic() - began
        block = running.err[running.err.index("STUCK") :]
        running.popen.terminate()
        assert running.popen.wait(20) == 143
    assert lost_after_s < 20  # the start included
    assert "the session was taken over (HTTP 478: Invalid session ID" in block
    assert re.search(r"next  in (9 min|10 min) \d+ s: one small request, and none before", block)
    assert "stop the other login of this account" in block
    assert max(map(len, block.splitlines())) <= 80


@pytest.mark.parametrize("status", [474, 571])
def test_a_lost_connection_costs_no_day(status: int, simulator: Simulate, tmp_path: Path) -> None:
    """Flapping: lost four times, told each time, and no attempt of any day is used up (row D9)."""
    faults = ";".join(f"{status}:from={first},to={first + 3}" for first in (5, 15, 25, 35))
    terminal = simulator("--faults", f"{faults};status:word=DISCONNECTED,from=2,to=6")
    ended = done(terminal.url, tmp_path)
    assert_whole(ended, tmp_path)
    assert set(causes(ended)) == {"not-connected"}
    assert [event["attempts"] for event in ended.events("shard_finished")] == [1] * ALL
    assert len(terminal.asked_for("mdds/status")) >= 6


def test_a_status_that_refuses_for_load_is_a_sign_of_life(simulator: Simulate, tmp_path: Path) -> None:
    """429 on every status call: data have the last word, nothing is restarted, every day is had (row D8)."""
    terminal = simulator("--faults", "474:from=6,to=9;status:word=429,from=2")
    ended = done(terminal.url, tmp_path)
    assert_whole(ended, tmp_path)
    assert causes(ended)[0] == "not-connected"


def test_a_terminal_that_says_it_is_connected_and_serves_nothing_is_not_believed(
    simulator: Simulate, tmp_path: Path
) -> None:
    """Its status is CONNECTED all the while; small requests for data find out when it is true (row D15)."""
    terminal = simulator("--faults", "474:from=6,to=16")
    ended = done(terminal.url, tmp_path)
    assert_whole(ended, tmp_path)
    whole = len(terminal.data_requests)
    assert whole <= ALL + 11
    assert len(terminal.asked_for("/history/")) > whole


def test_a_subscription_that_shrinks_stops_the_run_and_poisons_nothing(simulator: Simulate, tmp_path: Path) -> None:
    """Exit 7 with the vendor's words; no refusal is recorded, and the right account finishes it."""
    shrunk = simulator("--faults", "shrink:after=9,tier=free")
    ended = done(shrunk.url, tmp_path)
    assert ended.code == 7
    assert "the subscription has shrunk while this ran" in ended.told
    assert "you only have a FREE subscription" in ended.told
    run = ended.document["run"]
    assert run["unrecorded"] == run["refused"] > 0
    outcomes = list(stores.outcomes(tmp_path / "s").values())
    assert outcomes == ["saved"] * len(outcomes)
    assert len(outcomes) <= 9
    assert stores.boundaries(tmp_path / "s") == []
    assert done(simulator().url, tmp_path).counts == {"saved": ALL, "proven": ALL}


def test_a_terminal_that_becomes_slow_is_told(simulator: Simulate, tmp_path: Path) -> None:
    """Fine at first, then a trickle: an incident with the numbers, and the run goes on."""
    terminal = simulator("--faults", "degrade:after=16,rate=16000", "--places", "2")
    ended = done(terminal.url, tmp_path, THETABULK_INCIDENT_SLOW_WINDOW_S="1", THETABULK_WORKERS="2")
    assert (ended.code, ended.counts) == (0, {"saved": ALL, "proven": ALL})
    assert "slow" in causes(ended) + causes(ended, "changed")
    [slowed, *_] = ended.events("slowed")
    assert slowed["rate"] * 3 <= slowed["rate_before"]


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Somebody who takes JSON posts."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook/T0KEN", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_webhook_command_and_heartbeat_hear_of_it(simulator: Simulate, tmp_path: Path) -> None:
    """Began and ended, to both; the file's time moves during the pause; the webhook's address is nowhere."""
    terminal = simulator("--faults", "478:from=8,to=8")
    script, beat = tmp_path / "notify.sh", tmp_path / "beat.json"
    script.write_text(f"#!/bin/sh\ncat >> {tmp_path}/told.jsonl\n")
    script.chmod(0o755)
    seen: set[str] = set()
    with listening() as (hook, posted):
        settings = {
            "THETABULK_INCIDENT_WEBHOOK": hook, "THETABULK_INCIDENT_COMMAND": str(script),
            "THETABULK_INCIDENT_HEARTBEAT": str(beat), "THETABULK_INCIDENT_HEARTBEAT_EVERY_S": "0.3",
            "THETABULK_INCIDENT_TELL_AFTER_S": "0.2", "THETABULK_RUN_SESSION_COOLDOWN_S": "4",
        }  # fmt: skip
        with download(terminal.url, tmp_path, **settings) as running:
            running.until("paused")
            deadline = time.monotonic() + 3.5
            while time.monotonic() < deadline:
                seen.add(beat.read_text() if beat.exists() else "")
                time.sleep(0.1)
            ended = running.ended()
    assert (ended.code, ended.counts) == (0, {"saved": ALL, "proven": ALL})
    beats = [json.loads(text) for text in seen if text]
    assert {(each["state"], each["cause"], each["pid"]) for each in beats} >= {
        ("stuck", "session-taken", running.popen.pid)
    }
    assert len({each["at"] for each in beats}) >= 3
    last = json.loads(beat.read_text())
    assert (last["state"], last["exit_code"], last["days_left"]) == ("ended", 0, 0)
    told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    for documents in (posted, told):
        assert [(each["event"], each["state"]) for each in documents] == [("incident", "began"), ("incident", "ended")]
        assert documents[0]["cause"] == "session-taken"
    assert "T0KEN" not in ended.told


def test_who_does_not_take_a_message_holds_up_nothing(simulator: Simulate, tmp_path: Path) -> None:
    """It is said once, without the address; the run ends as if nobody had been told."""
    terminal = simulator("--faults", "478:from=8,to=8")
    ended = done(
        terminal.url, tmp_path, THETABULK_INCIDENT_WEBHOOK="http://127.0.0.1:9/T0KEN",
        THETABULK_INCIDENT_TELL_AFTER_S="0", THETABULK_INCIDENT_HEARTBEAT=str(tmp_path / "gone" / "beat"),
        THETABULK_RUN_SESSION_COOLDOWN_S="2",
    )  # fmt: skip
    assert_whole(ended, tmp_path)
    notices = [event["message"] for event in ended.events("notice")]
    assert sum("the webhook did not take the message" in message for message in notices) == 1
    assert sum("beat cannot be written: No such file or directory" in message for message in notices) == 1
    assert "T0KEN" not in ended.told
