"""Nothing is said to anybody that docs/messages.md does not explain: no exit code, no message, no kind of failure."""

import ast

import pytest

from docs import make_messages
from thetabulk import errors
from thetabulk.errors import ThetabulkError

AGAIN = "`python docs/make_messages.py` writes it anew"
MESSAGES = make_messages.messages()


def test_the_document_has_every_message_of_the_source() -> None:
    """It is written from there."""
    assert make_messages.TARGET.read_text(encoding="utf-8") == make_messages.document(), AGAIN


def test_every_message_has_words() -> None:
    """An error whose words come from elsewhere says from where (PASSED_ON)."""
    assert {one.source for one in MESSAGES if not one.what} == set()
    assert set(make_messages.PASSED_ON) <= {one.source for one in MESSAGES}


def test_every_exit_code_of_an_error_has_advice() -> None:
    """What to do where the message does not say it; and none is explained that there is not."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ThetabulkError)]
    assert set(make_messages.ADVICE) == {kind.exit_code for kind in kinds}
    assert {one.code for one in MESSAGES} <= set(make_messages.ADVICE)


def test_every_kind_of_failed_day_is_explained() -> None:
    """What has happened and what to do; and none is explained that no day can have."""
    assert make_messages.failed_kinds() == set(make_messages.KINDS)
    assert all(what and advice for what, advice in make_messages.KINDS.values())


@pytest.mark.parametrize(
    ("code", "what", "hint"),
    [
        (2, "the vendor has no options of …", "did you mean …? or: list/symbols of the Terminal has"),
        (5, "…: the drive is full (…)", "free some space; the run goes on by itself, or with `thetabulk resume`"),
        (7, "the newest days are refused too: …", "the account is not what we think; nothing was recorded."),
        (10, "… is gone", ""),
    ],
)
def test_messages_are_found_with_their_code_and_hint(code: int, what: str, hint: str) -> None:
    """Also those of a table, of an exception made elsewhere, and of a class with a variable for its text."""
    found = [one for one in MESSAGES if (one.code, one.what) == (code, what)]
    assert found
    assert any(one.hint.startswith(hint) for one in found) or not hint


def test_a_message_that_is_not_documented_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first test is one that can fail: a new error, and a new kind of failed day, change what it compares."""
    new = 'raise DiskFull(f"{here} is a new message", hint="do this")'
    tree = ast.parse(f'{new}\nraise BadAnswer("x", kind="new-kind")')
    nodes = (*make_messages._nodes(), *(("store/new.py", node) for node in ast.walk(tree)))
    monkeypatch.setattr(make_messages, "_nodes", lambda: nodes)
    assert make_messages.document() != make_messages.TARGET.read_text(encoding="utf-8")
    assert "| … is a new message | do this |" in make_messages.document()
    assert make_messages.failed_kinds() - set(make_messages.KINDS) == {"new-kind"}


def test_the_errors_that_are_made_are_those_that_are_counted() -> None:
    """Every class of errors.py that ends a command is known by its name, with its own code."""
    known = make_messages.kinds_of_errors()
    assert known["UsageError"].exit_code == 2
    assert known["NewerRecord"].exit_code == 2
    assert known["UsageError"] is errors.UsageError
