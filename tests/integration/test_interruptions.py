"""Processes that die, stop, or come back: nothing is lost, nothing is invented, and the run goes on."""

import json
import os
import re
import signal
import socket
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import process, simulator_process, thetabulk
from tests.integration.serving import Served
from thetabulk.plan.calendar import Calendar

Simulate = Callable[..., Served]
SPAN = ("--from", "2024-07-01", "--to", "2024-07-31", "--interval", "1h")
JULY = [day.isoformat() for day in Calendar.load().sessions(date(2024, 7, 1), date(2024, 7, 31))]
SLOW = ("--faults", "delay:seconds=0.1")
"""So that a run of a month takes a second, and can be disturbed."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_terminal_that_dies_and_comes_back_costs_nothing_but_time(tmp_path: Path) -> None:
    """Killed twice in mid-run and started again at the same port: every day is proven, none has failed in the end, and
    none was ever empty or refused; no boundary."""
    port, home = free_port(), tmp_path / "home"
    arguments = ("--url", f"http://127.0.0.1:{port}", "--store", tmp_path / "s", "--json")
    with simulator_process(*SLOW, home=home, port=port) as (first, _):
        with process("download", "QQQ", *SPAN, *arguments, home=home) as run:
            run.until("shard_finished", 3)
            first.kill()
            run.until("breaker_changed", state="open")
            with simulator_process(*SLOW, home=home, port=port) as (second, _):
                run.until("shard_finished", 3)
                second.kill()
                with simulator_process(home=home, port=port):
                    ended = run.ended()
    assert (ended.code, ended.counts) == (0, {"saved": 22, "proven": 22})
    assert stores.outcomes(tmp_path / "s") == dict.fromkeys(JULY, "saved")
    assert stores.boundaries(tmp_path / "s") == []
    recorded = {entry["outcome"] for entry in stores.ledger(tmp_path / "s") if entry["kind"] == "day"}
    assert recorded <= {"saved", "failed"}
    stores.assert_consistent(tmp_path / "s")


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")
def test_a_run_that_was_stopped_says_so_and_goes_on(simulator: Simulate, tmp_path: Path) -> None:
    """SIGSTOP in the middle of transfers and SIGCONT later, as Ctrl-Z and `fg` do: told with its length, what was in
    flight begins again and costs nobody an attempt, and every day is proven in the end."""
    arguments = ("--url", simulator("--faults", "delay:seconds=0.4").url, "--store", tmp_path / "s", "--json")
    with process("download", "QQQ", *SPAN, *arguments, home=tmp_path / "home", THETABULK_RUN_ASLEEP_S="1") as run:
        run.until("shard_finished", 3)
        run.popen.send_signal(signal.SIGSTOP)
        os.waitpid(run.popen.pid, os.WUNTRACED)
        threading.Event().wait(2.5)
        run.popen.send_signal(signal.SIGCONT)
        notice = next(event for line in run.lines() if (event := json.loads(line))["event"] == "notice")
        ended = run.ended()
    assert re.match(r"nothing ran here for [1-9] s \(sleep, or Ctrl-Z\)", notice["message"])
    assert (ended.code, ended.counts) == (0, {"saved": 22, "proven": 22})
    assert stores.outcomes(tmp_path / "s") == dict.fromkeys(JULY, "saved")
    stores.assert_consistent(tmp_path / "s")


def test_a_terminal_that_stays_away_ends_the_run_and_no_day(simulator: Simulate, tmp_path: Path) -> None:
    """After `pause_limit_s` exit code 8; what was not asked for is pending, and `resume` gets it."""
    home = tmp_path / "home"
    with simulator_process(*SLOW, home=home) as (terminal, url):
        arguments = ("download", "QQQ", *SPAN, "--url", url, "--store", tmp_path / "s", "--json")
        with process(*arguments, home=home, THETABULK_RUN_PAUSE_LIMIT_S="0.5") as run:
            run.until("shard_finished", 3)
            terminal.kill()
            ended = run.ended()
    assert ended.code == 8
    assert set(ended.counts) == {"saved", "proven", "pending"}
    assert set(stores.outcomes(tmp_path / "s").values()) == {"saved"}
    assert stores.boundaries(tmp_path / "s") == []
    assert thetabulk("resume", "--url", simulator().url, "--store", tmp_path / "s", "--json").counts == {
        "saved": 22, "proven": 22,
    }  # fmt: skip


@pytest.fixture
def undisturbed(simulator: Simulate, tmp_path: Path) -> tuple[str, dict[str, str]]:
    """A slow simulator's URL, and the hashes of the files of a store that nobody disturbed."""
    assert thetabulk("download", "QQQ", *SPAN, "--url", simulator().url, "--store", tmp_path / "undisturbed").code == 0
    return simulator(*SLOW).url, stores.data_files(tmp_path / "undisturbed")


def test_a_killed_download_goes_on_to_the_very_same_files(
    undisturbed: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    """kill -9 twice, then `resume`: what was told as saved is not asked for again, every file is byte-identical."""
    url, files = undisturbed
    where, home = ("--url", url, "--store", tmp_path / "s", "--json"), tmp_path / "home"
    for number, command in enumerate((("download", "QQQ", *SPAN), ("resume",))):
        with process(*command, *where, home=home) as run:
            run.until("shard_finished", 4)
            run.kill()
        assert len(stores.data_files(tmp_path / "s")) >= 4 * (number + 1)
    known = set(stores.data_files(tmp_path / "s"))
    ended = thetabulk("resume", *where)
    assert (ended.code, ended.counts) == (0, {"saved": 22, "proven": 22})
    assert stores.data_files(tmp_path / "s") == files
    stores.assert_consistent(tmp_path / "s")
    asked = {event["day"] for event in ended.events("shard_started")}
    assert len(asked) + len(known) == 22, "a file that was in its place is taken as it is"
    assert thetabulk("verify", "--deep", "--store", tmp_path / "s").code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_lets_transfers_in_flight_end(
    number: signal.Signals, code: int, undisturbed: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    """Stopped with the signal's exit code; the days in flight are saved, and `resume` gets the rest."""
    url, files = undisturbed
    home = tmp_path / "home"
    where = ("--url", url, "--store", tmp_path / "s", "--json")
    with process("download", "QQQ", *SPAN, *where, home=home) as run:
        run.until("shard_finished", 3)
        run.popen.send_signal(number)
        ended = run.ended()
    [stopping] = ended.events("stopping")
    assert (ended.code, stopping["reason"]) == (code, number.name)
    assert len(ended.events("shard_finished")) >= stopping["in_flight"]
    assert set(ended.counts) == {"saved", "proven", "pending"}
    stores.assert_consistent(tmp_path / "s")
    assert thetabulk("resume", *where).counts == {"saved": 22, "proven": 22}
    assert stores.data_files(tmp_path / "s") == files
