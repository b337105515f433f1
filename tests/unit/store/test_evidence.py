"""What was wrong with an answer can be looked at, and can be shown to others."""

from datetime import date
from pathlib import Path

from tests.unit.store.faulty_os import plain_disk
from tests.unit.store.test_part import IDENTITY_OF_A
from thetabulk.model import Collection, Shard
from thetabulk.store.evidence import HEAD_BYTES, evidence_path, keep_evidence, redacted
from thetabulk.store.volume import create_store

SHARD = Shard(Collection("option/quote/1m", "", "BRK/B"), date(2024, 7, 1))


def test_the_opening_of_a_bad_answer_is_kept(tmp_path: Path) -> None:
    """With day, kind and message; the newest of a kind replaces the one before."""
    volume = create_store(tmp_path / "store", IDENTITY_OF_A, disk=plain_disk())
    for number in range(2):
        assert keep_evidence(volume, SHARD, "text", f"try {number}", b"<html>busy</html>", most_bytes=10_000)
    kept = list((tmp_path / "store" / ".thetabulk" / "quarantine" / "answers").rglob("*.txt"))
    assert kept == [volume.path(evidence_path(SHARD, "text"))]
    assert kept[0].read_text() == "BRK/B option/quote/1m 2024-07-01\ntext: try 1\n\n<html>busy</html>\n"


def test_evidence_has_a_size_limit_and_removes_nothing(tmp_path: Path) -> None:
    """Above it nothing more is written; what is there stays."""
    volume = create_store(tmp_path / "store", IDENTITY_OF_A, disk=plain_disk())
    assert keep_evidence(volume, SHARD, "text", "first", b"x" * 500, most_bytes=700)
    assert not keep_evidence(volume, SHARD, "row", "second", b"x" * 500, most_bytes=700)
    assert volume.path(evidence_path(SHARD, "text")).exists()
    assert not volume.path(evidence_path(SHARD, "row")).exists()


def test_the_message_of_the_file_steers_no_terminal(tmp_path: Path) -> None:
    """Somebody looks at it with `cat`; it may repeat what came."""
    volume = create_store(tmp_path / "store", IDENTITY_OF_A, disk=plain_disk())
    assert keep_evidence(volume, SHARD, "text", "it says \x1b[2J\u202e", b"x", most_bytes=700)
    assert "text: it says ?[2J?\n" in volume.path(evidence_path(SHARD, "text")).read_text()


def test_secrets_and_control_characters_do_not_get_out() -> None:
    """An address, a key, a password in a text or in a URL, escape sequences; the rest is as it was."""
    head = b"user jo.doe+x@example.com key td1_AbC-9 \x1b[31mred /v3?a=1&token=abc&b=2 password: hunter2\nnext"
    text = redacted(head)
    assert not any(secret in text for secret in ("jo.doe", "td1_", "abc", "hunter2", "\x1b"))
    assert text.startswith("user … key … ?[31mred")
    assert text.endswith("\nnext")
    assert len(redacted(b"x" * 99_999)) == HEAD_BYTES
