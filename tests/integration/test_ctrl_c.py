"""Somebody at a terminal presses Ctrl-C: a real process in a pseudo-terminal."""

import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration import stores
from tests.integration.commands import COMMAND, environment, thetabulk
from tests.integration.serving import Served

pexpect = pytest.importorskip("pexpect", reason="no pseudo-terminals on this system")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
Simulate = Callable[..., Served]
SPAN = ("--from", "2024-07-01", "--to", "2024-07-31", "--interval", "1h")


HANGING = """
import os, sys, threading, time
from pathlib import Path
from thetabulk.cli.app import main
flush, hangs, hung = os.fsync, Path(os.environ["HOME"], "hangs"), Path(os.environ["HOME"], "hung")
def fsync(descriptor):
    if threading.current_thread() is not threading.main_thread() and hangs.exists():
        hung.touch()
        time.sleep(600)
    flush(descriptor)
os.fsync = fsync
sys.exit(main())
"""
"""The command, on a drive that does not come back from a flush of a day once `hangs` is in its home."""


@contextmanager
def typed(*arguments: str | Path, home: Path, command: Sequence[str] = COMMAND, **more: str) -> Iterator[Any]:
    """A command line, as typed into a terminal of 80 columns; killed when the block ends."""
    home.mkdir(exist_ok=True)
    terminal = pexpect.spawn(
        command[0], [*command[1:], *map(str, arguments)], env=environment(home, TERM="xterm-256color", **more),
        dimensions=(24, 80), timeout=30, encoding="utf-8",
    )  # fmt: skip
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def exit_code(terminal: Any) -> int:
    terminal.expect(pexpect.EOF)
    terminal.close()
    return int(terminal.exitstatus)


def wait_until(happened: Callable[[], bool], patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def download(terminal: Served, store: Path) -> tuple[str | Path, ...]:
    return ("download", "QQQ", *SPAN, "--url", terminal.url, "--store", store)


def resumed(terminal: Served, store: Path) -> dict[str, int]:
    return thetabulk("resume", "--url", terminal.url, "--store", store, "--json").counts


def test_ctrl_c_once_finishes_what_is_in_flight(simulator: Simulate, tmp_path: Path) -> None:
    """It says how many, and how to stop at once; exit code 130, a summary with what to type next, and that works."""
    with typed(*download(simulator("--faults", "delay:seconds=0.2"), tmp_path / "s"), home=tmp_path / "home") as run:
        run.expect(r"[1-9]\d* saved")
        run.sendintr()
        run.expect(r"finishing (\d) transfers? in flight; Ctrl-C again stops now")
        in_flight = int(run.match[1])
        run.expect(r"stopped by Ctrl-C \(exit code 130\)")
        run.expect(r"this run\s+(\d+) saved")
        saved = int(run.match[1])
        run.expect("next: thetabulk resume")
        assert exit_code(run) == 130
    assert in_flight <= saved == len(stores.outcomes(tmp_path / "s")) < 22
    stores.assert_consistent(tmp_path / "s")
    assert resumed(simulator(), tmp_path / "s") == {"saved": 22, "proven": 22}


def test_ctrl_c_twice_stops_now(simulator: Simulate, tmp_path: Path) -> None:
    """Transfers that hang are given up at once; exit code 130, no scratch is left, and `resume` completes."""
    patience = {"THETABULK_RUN_DRAIN_S": "600"}
    stalling = simulator("--faults", "stall:from=4,at=100")
    with typed(*download(stalling, tmp_path / "s"), home=tmp_path / "home", **patience) as run:
        run.expect("[1-3] saved")
        run.sendintr()
        run.expect("Ctrl-C again stops now")
        run.sendintr()
        run.expect(r"stopped by Ctrl-C \(exit code 130\)")
        assert exit_code(run) == 130
    assert set(stores.outcomes(tmp_path / "s").values()) == {"saved"}
    stores.assert_consistent(tmp_path / "s", stopped_now=True)
    assert resumed(simulator(), tmp_path / "s") == {"saved": 22, "proven": 22}
    stores.assert_consistent(tmp_path / "s")


def test_ctrl_c_three_times_leaves_at_once(simulator: Simulate, tmp_path: Path) -> None:
    """A drive hangs in a flush, where the second Ctrl-C cannot reach: the third one ends the process with exit code
    130; what was saved stands, and `resume` tidies up and completes."""
    home, patience = tmp_path / "home", {"THETABULK_RUN_DRAIN_S": "600"}
    slow, command = simulator("--faults", "delay:seconds=0.2"), (sys.executable, "-c", HANGING)
    with typed(*download(slow, tmp_path / "s"), home=home, command=command, **patience) as run:
        run.expect(r"[1-9]\d* saved")
        (home / "hangs").touch()
        wait_until((home / "hung").exists)
        run.sendintr()
        run.expect("Ctrl-C again stops now")
        run.sendintr()
        with pytest.raises(pexpect.TIMEOUT):
            run.expect(pexpect.EOF, timeout=2)
        run.sendintr()
        assert exit_code(run) == 130
    assert set(stores.outcomes(tmp_path / "s").values()) == {"saved"}
    assert resumed(simulator(), tmp_path / "s") == {"saved": 22, "proven": 22}
    stores.assert_consistent(tmp_path / "s")


def test_ctrl_c_in_a_pause_does_not_call_it_over(simulator: Simulate, tmp_path: Path) -> None:
    """The session is still somebody else's when the run stops."""
    taken = simulator("--faults", "478:after=4")
    patience = {"THETABULK_RUN_SESSION_COOLDOWN_S": "600", "THETABULK_RUN_PAUSE_POLL_S": "0.1"}
    with typed(*download(taken, tmp_path / "s"), home=tmp_path / "home", **patience) as run:
        run.expect("STUCK since")
        run.sendintr()
        run.expect("stopped after .* still: ")
        assert exit_code(run) == 130
        assert "over after" not in run.before


def test_an_error_is_folded_between_words(tmp_path: Path) -> None:
    """In a terminal; a program, or a file, gets it as one line."""
    wrong = ("download", "QQQ", "--store", tmp_path / ("long" * 12), "--workers", "a few of them, as many as are good")
    with typed(*wrong, home=tmp_path / "home") as run:
        assert exit_code(run) == 2
        lines = run.before.splitlines()
    words = " ".join(lines).split()
    assert max(map(len, lines)) <= 80
    assert words == thetabulk(*wrong).err.split()
    assert len(thetabulk(*wrong).err.splitlines()) < len(lines)


def test_ctrl_c_before_the_first_request_leaves_nothing_behind(tmp_path: Path) -> None:
    """While a Terminal is waited for that takes the call and says nothing: exit code 130, no store, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        where = ("--url", f"http://127.0.0.1:{listener.getsockname()[1]}", "--store", tmp_path / "s")
        patience = {"THETABULK_TERMINAL_START_WAIT_S": "60"}
        with typed("download", "QQQ", *SPAN, *where, home=tmp_path / "home", **patience) as run:
            caller, _ = listener.accept()
            with caller:
                run.sendintr()
                assert exit_code(run) == 130
            assert "Traceback" not in run.before
    assert not (tmp_path / "s").exists()
