"""What others have written is told, and does nothing."""

from io import UnsupportedOperation
from types import SimpleNamespace
from typing import NoReturn

import pytest

from thetabulk.cli import app
from thetabulk.errors import AccountError


class Screen:
    """A stream that says it is a terminal, and keeps what it is told."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def fileno(self) -> int:
        raise UnsupportedOperation

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def test_an_error_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's words are part of it: no escape sequence, bell, carriage return or change of direction."""

    def command() -> NoReturn:
        raise AccountError("it says: \x1b[2J\x1b]0;title\x07 fine\rnot \u202efine", hint="wait\x1b[8m")

    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    assert app.main(["status"], load=lambda name: SimpleNamespace(command=command)) == 7
    assert "it says: " in screen.text
    assert [letter for letter in screen.text if not letter.isprintable() and letter != "\n"] == []


def test_a_password_in_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Such a URL is never asked, but it may stand in an environment that somebody shows around."""
    monkeypatch.setenv("THETABULK_TERMINAL_URL", "http://jo:hunter2@127.0.0.1:25503")
    app.main(["config", "show"])
    assert "hunter2" not in "".join(capsys.readouterr())
