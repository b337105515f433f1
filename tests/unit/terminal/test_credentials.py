"""Facts about a credentials file, and nothing of what it says."""

import os
from pathlib import Path

import pytest

from thetabulk.terminal import credentials
from thetabulk.terminal.credentials import examine

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes as POSIX systems have them")


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", 0),
        (b"\n \n\t\n", 0),
        (b"jo@example.org", 1),
        (b"jo@example.org\n\n", 1),
        (b"jo@example.org\nsecret", 2),
        (b"jo@example.org\nsecret\n", 2),
        (b"jo@example.org\r\nsecret\r\n", 2),
        (b"jo@example.org\nsecret\n\n", 2),
        (b"jo@example.org\nsecret\nmore", 3),
        (b"a\nb\nc\nd\ne\n", 3),
    ],
)
def test_lines_are_counted(tmp_path: Path, content: bytes, lines: int) -> None:
    """Those with anything in them, up to three."""
    facts = examine(written(tmp_path / "creds.txt", content))
    assert (facts.kind, facts.lines) == ("file", lines)


def test_no_more_is_read_than_two_lines_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte under this name is not read; and the buffer is wiped when the lines are counted."""
    buffers, count = [], credentials._lines_in

    def counted(buffer: bytearray, size: int) -> int:
        buffers.append(buffer)
        assert buffer.startswith(b"jo@example.org")
        return count(buffer, size)

    monkeypatch.setattr(credentials, "_lines_in", counted)
    path = written(tmp_path / "creds.txt", b"jo@example.org\nsecret\n")
    os.truncate(path, 1 << 30)
    assert examine(path).lines == 2
    assert len(buffers[0]) == 1_024
    assert not any(buffers[0])


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_for_its_owner_alone_is_private(tmp_path: Path, mode: int) -> None:
    """Whatever the owner may do."""
    assert examine(written(tmp_path / "creds.txt", b"a\nb", mode)).private


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o611, 0o777])
def test_any_right_for_others_is_one_too_many(tmp_path: Path, mode: int) -> None:
    """To read, to write, to execute; group or everybody."""
    facts = examine(written(tmp_path / "creds.txt", b"a\nb", mode))
    assert (facts.private, facts.mode) == (False, mode)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Who can replace the link chooses the file."""
    written(tmp_path / "real", b"a\nb")
    (tmp_path / "creds.txt").symlink_to(tmp_path / "real")
    facts = examine(tmp_path / "creds.txt")
    assert (facts.kind, facts.lines) == ("link", 0)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    """A folder, a pipe (which is not opened: that would wait for ever), nothing."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert [examine(tmp_path / name).kind for name in ("folder", "pipe", "nothing", "pipe/x")] == [
        "other", "other", "missing", "missing",
    ]  # fmt: skip


def test_where_there_are_no_modes_none_is_told(tmp_path: Path) -> None:
    """Windows: `stat` invents one."""
    facts = examine(written(tmp_path / "creds.txt", b"a\nb", 0o644), posix=False)
    assert (facts.mode, facts.private, facts.lines) == (None, True, 2)


def test_the_facts_repeat_nothing_of_the_content(tmp_path: Path) -> None:
    """Neither as text nor in their representation."""
    facts = examine(written(tmp_path / "creds.txt", b"jo@example.org\nsecret\n"))
    assert "secret" not in repr(facts) + str(facts)
    assert "example" not in repr(facts) + str(facts)
