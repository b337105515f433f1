"""The wrong account, the wrong program, or nobody: told at once, and never taken for days without data."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import Done, thetabulk
from tests.integration.serving import Served
from tests.integration.vendor import vendor
from thetabulk.config import Config

Simulate = Callable[..., Served]


def download(url: str, store: Path, *more: str) -> Done:
    days = ("--from", "2024-07-01", "--to", "2024-07-31", "--interval", "1h")
    return thetabulk("download", "QQQ", *days, "--url", url, "--store", store, "--json", *more)


@pytest.fixture
def patience_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """For an absent Terminal; without it, ten."""
    assert Config().terminal.start_wait_s == 10
    monkeypatch.setenv("THETABULK_TERMINAL_START_WAIT_S", "1")


@pytest.mark.parametrize("told", [(), ("--tier", "free"), ("--tier", "pro")])
def test_a_free_account_records_nothing(told: tuple[str, ...], simulator: Simulate, tmp_path: Path) -> None:
    """Exit code 7 with the vendor's words; no day is refused, no boundary made, and few requests."""
    terminal = simulator("--tier", "free")
    ended = download(terminal.url, tmp_path / "s", *told)
    assert ended.code == 7
    assert "you only have a FREE subscription" in ended.told
    assert "nothing was recorded" in ended.told
    assert stores.outcomes(tmp_path / "s") == {}
    assert stores.boundaries(tmp_path / "s") == []
    assert len(terminal.data_requests) <= 14
    right = simulator()
    again = thetabulk("resume", "--url", right.url, "--store", tmp_path / "s", "--json")
    assert (again.code, again.counts) == (0, {"saved": 22, "proven": 22})


def test_an_account_that_was_lowered_keeps_what_is_saved(simulator: Simulate, tmp_path: Path) -> None:
    """STANDARD yesterday, FREE today: exit code 7, the saved days stay, nothing is recorded of the others."""
    assert download(simulator().url, tmp_path / "s").code == 0
    before = stores.outcomes(tmp_path / "s")
    wider = ("download", "QQQ", "--from", "2024-06-03", "--to", "2024-07-31", "--interval", "1h", "--json")
    ended = thetabulk(*wider, "--url", simulator("--tier", "free").url, "--store", tmp_path / "s")
    assert ended.code == 7
    assert stores.outcomes(tmp_path / "s") == before
    assert stores.boundaries(tmp_path / "s") == []
    assert thetabulk(*wider, "--url", simulator().url, "--store", tmp_path / "s").counts["saved"] == 41


def test_a_free_account_may_have_what_is_free(simulator: Simulate, tmp_path: Path) -> None:
    """End-of-day reports."""
    ended = download(simulator("--tier", "free").url, tmp_path / "s", "--dataset", "option/eod")
    assert (ended.code, ended.counts["saved"]) == (0, 22)


@pytest.mark.parametrize(
    ("word", "code", "message"),
    [
        ("UNVERIFIED", 7, "the Terminal has no valid session"),
        ("DISCONNECTED", 8, "is DISCONNECTED: it has lost the vendor's servers"),
    ],
)
@pytest.mark.usefixtures("patience_of_a_second")
def test_a_terminal_that_is_not_connected_is_told(
    word: str, code: int, message: str, simulator: Simulate, tmp_path: Path
) -> None:
    """Before anything is made or asked for."""
    terminal = simulator()
    terminal.inner.status = word
    ended = download(terminal.url, tmp_path / "s")
    assert ended.code == code
    assert message in ended.err
    assert terminal.data_requests == []
    assert not (tmp_path / "s").exists()


@contextmanager
def a_port(greeting: bytes | None) -> Iterator[str]:
    """Somebody who listens and says this to everyone, "" is nothing at all; None: nobody."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))

        def greet() -> None:
            callers = []
            while True:
                try:
                    caller, _ = listener.accept()
                except OSError:
                    break
                callers.append(caller)
                if greeting:
                    caller.sendall(greeting)
                    caller.close()
            for caller in callers:
                caller.close()

        thread = threading.Thread(target=greet, daemon=True)
        if greeting is not None:
            listener.listen()
            thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        if greeting is not None:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("greeting", "message"),
    [
        (None, "no Theta Terminal answers at http://127.0.0.1:"),
        (b"", "is no Theta Terminal, or it is stuck"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "is no Theta Terminal, or it is stuck"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "something else answers at http://127.0.0.1:"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "(HTTP 404), not a Theta Terminal v3"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\nContent-Length: 0\r\n\r\n", "is no Theta Terminal"),
    ],
)
@pytest.mark.usefixtures("patience_of_a_second")
def test_nobody_or_somebody_else_is_told_in_its_own_words(greeting: bytes | None, message: str, tmp_path: Path) -> None:
    """Exit code 8 within the patience, no store is made."""
    with a_port(greeting) as url:
        started = time.monotonic()
        ended = download(url, tmp_path / "s")
    assert time.monotonic() - started < 8
    assert ended.code == 8
    assert message in ended.err
    assert len(ended.err.splitlines()) <= 2
    assert not (tmp_path / "s").exists()


@pytest.mark.usefixtures("patience_of_a_second")
def test_without_a_terminal_a_store_stays_as_it_is(simulator: Simulate, tmp_path: Path) -> None:
    """Exit code 8 for `resume` and `download`: no day becomes empty or failed, no boundary appears."""
    assert download(simulator("--faults", "500:days=2024-07-09").url, tmp_path / "s").code == 3
    before = stores.ledger(tmp_path / "s")
    with a_port(None) as url:
        assert thetabulk("resume", "--url", url, "--store", tmp_path / "s").code == 8
        assert download(url, tmp_path / "s", "--recheck").code == 8
    assert stores.ledger(tmp_path / "s") == before


def test_a_program_that_only_looks_like_a_terminal_makes_no_day(tmp_path: Path) -> None:
    """It says CONNECTED, and serves a page of HTML for everything else: all days fail, none is empty."""
    with vendor("QQQ", b"<html>router login</html>", b"<html>router login</html>") as url:
        ended = download(url, tmp_path / "s", "--from", "2024-07-29")
    assert (ended.code, ended.counts) == (3, {"failed": 3})
    assert stores.boundaries(tmp_path / "s") == []
