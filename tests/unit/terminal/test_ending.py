"""How a Terminal of ours is ended, where that is not plain."""

import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from thetabulk.terminal.child import Child
from thetabulk.terminal.ending import end
from thetabulk.terminal.ownership import TOKEN, Mark, new_token
from thetabulk.terminal.probe import Probe
from thetabulk.terminal.rotation import RotatingLog


class Hidden(Child):
    """A child whose environment the system does not show, as macOS does for some programs: nobody carries its token."""

    @property
    def mark(self) -> Mark:
        return replace(super().mark, token="of nobody")


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("print('there', flush=True); time.sleep(60)", "TERM"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN); print('there', flush=True); time.sleep(60)", "KILL"),
    ],
)
async def test_our_own_child_is_ended_even_if_its_token_cannot_be_seen(tmp_path: Path, code: str, means: str) -> None:
    """We have not collected it: its pid is still its own."""
    child = Hidden(
        [sys.executable, "-c", f"import signal, time; {code}"], environment={TOKEN: new_token()}, folder=tmp_path,
        leashed=False, log=RotatingLog(tmp_path / "log", 1_000, 1),
    )  # fmt: skip
    deadline = time.monotonic() + 20
    while not child.lines:
        assert time.monotonic() < deadline
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    probe = Probe(f"http://127.0.0.1:{port}", 1.0)
    assert await end(child, port=port, probe=probe, grace_s=1.0, monotonic=time.monotonic) == means
    assert child.has_ended()
