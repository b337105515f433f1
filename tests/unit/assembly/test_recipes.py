"""What a Terminal is started with: everything that is lacking is told at once."""

import zipfile
from pathlib import Path

import pytest

from thetabulk.assembly.recipes import recipe_of
from thetabulk.config import TerminalConfig
from thetabulk.errors import AccountError, TerminalUnavailable, ThetabulkError


def lacking(home: Path, **configured: str) -> ThetabulkError:
    with pytest.raises(ThetabulkError) as raised:
        recipe_of(TerminalConfig(**configured), {"PATH": str(home)}, home, home / "state")  # type: ignore[arg-type]
    return raised.value


def test_a_new_machine_is_told_all_three_at_once(tmp_path: Path) -> None:
    """No Java, no jar, no credentials: one look, three fixes, each in a line of 80 columns."""
    error = lacking(tmp_path, java=str(tmp_path / "java"))
    assert isinstance(error, AccountError)  # 7 before 8, as everywhere
    assert error.what.splitlines() == [
        "3 things are lacking for a start:",
        f"1. {tmp_path / 'java'} is no Java that works: there is no such file",
        f"2. there is no Terminal at {tmp_path / 'thetadata' / 'ThetaTerminalv3.jar'}",
        f"3. the credentials file {tmp_path / 'thetadata' / 'creds.txt'} is not there",
    ]
    hints = error.hint.splitlines()
    assert [hint[:2] for hint in hints] == ["1.", "2.", "3."]
    assert "adoptium.net" in hints[0]
    assert "terminal fetch" in hints[1]
    assert "e-mail address" in hints[2]
    assert max(len(f"hint: {line}") for line in hints) <= 80


def test_one_lack_is_told_as_itself(tmp_path: Path) -> None:
    """Without a number before it."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    java.chmod(0o755)
    (tmp_path / "creds.txt").write_text("owner@canary.example\ncanary\n")
    (tmp_path / "creds.txt").chmod(0o600)
    error = lacking(tmp_path, java=str(java), credentials=str(tmp_path / "creds.txt"))
    assert isinstance(error, TerminalUnavailable)
    assert error.what.startswith("there is no Terminal at ")


def test_a_changed_jar_is_told_in_lines_that_fit(tmp_path: Path) -> None:
    """The hint says what to type if it was oneself, and what not to do if not."""
    path = tmp_path / "x.jar"
    for content in ("one", "another"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\nX: {content}\n")
        error = lacking(tmp_path, java=str(tmp_path / "java"), jar=str(path))
    assert "is not the jar that was used before" in error.what
    assert "--trust-jar" in error.hint
    assert "do not run it" in error.hint
    assert max(len(f"hint: {line}") for line in error.hint.splitlines()) <= 80
