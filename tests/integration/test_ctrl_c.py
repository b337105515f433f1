"""Somebody at a terminal presses Ctrl-C: a real process in a pseudo-terminal."""

import socket
import sys
from collections.abc import Callable, Iterator
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


@contextmanager
def typed(*arguments: str | Path, home: Path, **more: str) -> Iterator[Any]:
    """A command line, as typed into a terminal of 80 columns; killed when the block ends."""
    home.mkdir(exist_ok=True)
    terminal = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], *map(str, arguments)], env=environment(home, TERM="xterm-256color", **more),
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
