"""Before the first job of a store first contact is offered: to a person as a question, to a pipe as a line."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import thetabulk
from tests.integration.serving import Served, serving
from thetabulk.cli.app import main
from thetabulk.simulator.server import Simulator

DAY = ("--from", "2024-08-01", "--to", "2024-08-01", "--interval", "1h")
PROPOSED = "nobody has asked this Terminal yet"
ASKED = "Ask them first? [Y/n]"


class Screen(io.StringIO):
    """What a person sees, and types on."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A simulator that does not say that it is one."""
    monkeypatch.setattr(Simulator, "_headers", lambda self: {})
    with serving() as served:
        yield served


def at_the_keyboard(url: str, store: Path, typed: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    """What a person is shown who types this."""
    shown = Screen()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", Screen(typed))
        patch.setattr(sys, "stderr", shown)
        patch.setattr(sys, "stdout", Screen())
        patch.setenv("TERM", "dumb")
        assert main(["download", "QQQ", *DAY, "--url", url, "--store", str(store), *more]) == 0
    return shown.getvalue()


def profiles(store: Path) -> int:
    return len([entry for entry in stores.ledger(store) if entry["kind"] == "profile"])


def test_a_pipe_is_told_once_and_goes_on(terminal: Served, tmp_path: Path) -> None:
    """One line with what to type; an unattended run never waits for an answer."""
    first = thetabulk("download", "QQQ", *DAY, "--url", terminal.url, "--store", tmp_path / "s")
    again = thetabulk("download", "QQQ", *DAY, "--url", terminal.url, "--store", tmp_path / "s")
    assert (first.code, again.code) == (0, 0)
    assert first.told.count(PROPOSED) == 1
    assert "doctor --probe" in first.told
    assert PROPOSED not in again.told
    assert profiles(tmp_path / "s") == 0


def test_days_that_lacked_something_bring_it_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has said no, and sees days refused, is told what may be the matter."""
    strange = Path(__file__).with_name("strange_vendor.json")
    with monkeypatch.context() as patch, serving("--profile", str(strange)) as terminal:
        patch.setattr(Simulator, "_headers", lambda self: {})
        thetabulk("download", "QQQ", *DAY, "--url", terminal.url, "--store", tmp_path / "s")
        ended = thetabulk("resume", "--url", terminal.url, "--store", tmp_path / "s")
        assert (ended.code, ended.told.count(PROPOSED)) == (3, 1)
        assert thetabulk("doctor", "--probe", "--url", terminal.url, "--store", tmp_path / "s").code == 0
        ended = thetabulk("resume", "--url", terminal.url, "--store", tmp_path / "s")
        assert (ended.code, ended.told.count(PROPOSED)) == (0, 0)


def test_yes_means_yes(terminal: Served, tmp_path: Path) -> None:
    """`--yes` asks nobody: first contact comes first, then the day."""
    ended = thetabulk("download", "QQQ", *DAY, "--url", terminal.url, "--store", tmp_path / "s", "--yes")
    assert ended.code == 0
    assert PROPOSED not in ended.told
    kinds = [entry["kind"] for entry in stores.ledger(tmp_path / "s")]
    assert kinds.index("profile") < kinds.index("day")


@pytest.mark.parametrize(("typed", "probes"), [("\n", 1), ("y\n", 1), ("n\n", 0), ("", 1)])
def test_a_person_is_asked_once(
    typed: str, probes: int, terminal: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter is yes. The second download of the store asks nothing."""
    shown = at_the_keyboard(terminal.url, tmp_path / "s", typed, monkeypatch)
    assert shown.count(ASKED) == 1
    assert PROPOSED not in shown
    assert profiles(tmp_path / "s") == probes
    assert ASKED not in at_the_keyboard(terminal.url, tmp_path / "s", "", monkeypatch)


def test_a_simulator_needs_no_first_contact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither question nor line: what it does is known."""
    with serving() as simulator:
        assert ASKED not in at_the_keyboard(simulator.url, tmp_path / "a", "n\n", monkeypatch)
        ended = thetabulk("download", "QQQ", *DAY, "--url", simulator.url, "--store", tmp_path / "b", "--yes")
    assert PROPOSED not in ended.told
    assert profiles(tmp_path / "b") == 0
