"""The simulator as a process of ours."""

import sys

import pytest

from thetabulk.errors import TerminalUnavailable, UsageError
from thetabulk.terminal.process import SimulatorProcess


def pretending(code: str) -> SimulatorProcess:
    """A program that stands in for the simulator."""
    process = SimulatorProcess([])
    process._command = [sys.executable, "-c", code]
    return process


def test_a_talkative_process_is_listened_to() -> None:
    """More than a pipe holds after the line that says where it listens: it comes to its end all the same."""
    chatter = "print('Starting server at 127.0.0.1:7', flush=True); print('word ' * 100_000)"
    with pretending(chatter) as process:
        assert process.url == "http://127.0.0.1:7"
        assert process._process.wait(30) == 0


def test_what_it_finds_wrong_with_its_arguments_is_a_usage_error() -> None:
    """In its own words, without the usage above them."""
    complaint = "print('usage: …'); print('simulator: error: no such fault'); raise SystemExit(2)"
    with pytest.raises(UsageError, match="the simulator says: no such fault"), pretending(complaint):
        pass


def test_a_process_that_does_not_come_up_is_no_terminal() -> None:
    """Its last words are told."""
    with (
        pytest.raises(TerminalUnavailable, match="did not start: the port is taken"),
        pretending("exit('the port is taken')"),
    ):
        pass


def test_ctrl_c_before_it_listens_leaves_no_process_behind() -> None:
    """It has a session of its own: nobody else would tell it."""

    class Interrupted:
        """What it says first comes at the moment of Ctrl-C."""

        def search(self, line: str) -> None:
            raise KeyboardInterrupt

    starting = pretending("print('soon', flush=True); import time; time.sleep(60)")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("thetabulk.terminal.process._LISTENING", Interrupted())
        starting.__enter__()
    assert starting._process.poll() is not None
