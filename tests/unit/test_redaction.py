"""What looks like a secret is told to nobody; what does not stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.errors import BadAnswer, TerminalAnswer, UsageError
from thetabulk.redaction import without_accounts, without_secrets

URLS = ("http://jo:hunter2@127.0.0.1:25503", "http://jo:hun/ter2@h", "http://hunter2@h", "https://a:b@hunter2@h/x")
TEXTS = (
    *URLS,
    "key td1_hunter2-x",
    "password=hunter2",
    "PASSWORD: hunter2",
    "THETADATA_PASSWORD=hunter2",
    '{"password":"hunter2"}',
    "{'api_key': 'hunter2'}",
    "/v3/x?a=1&token=hunter2",
    "AWS_SECRET_ACCESS_KEY=hunter2",
    "Authorization: Bearer hunter2",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_is_taken_out_wherever_it_stands(text: str) -> None:
    """Also in the middle of a sentence, and in what an error says of itself."""
    for whole in (text, f"it says {text} twice: {text}", f"'{text}'"):
        assert "ter2" not in without_secrets(whole)
        error = UsageError(whole, hint=whole)
        assert "ter2" not in f"{error} {error.what} {error.hint}"
        assert "ter2" not in str(BadAnswer(whole))
        assert "ter2" not in str(TerminalAnswer(500, whole))


@pytest.mark.parametrize("text", ["jo@example.com", "jo.doe+x@mail.example.com", "jo@exa"])
def test_an_account_is_foreign_text_only(text: str) -> None:
    """A cloud folder may be called after one, and whoever reads the error has to find it."""
    assert text not in without_accounts(f"login of {text} failed")
    assert text in UsageError(f"/home/jo/GoogleDrive-{text}/store is not a store").what


@given(st.text(st.characters(exclude_characters="@:=_", codec="utf-8")))
def test_other_text_is_as_it_was(text: str) -> None:
    """Nothing is taken out that is not introduced by one of a few signs."""
    assert without_accounts(text) == text


def test_the_judge_sees_the_answer_word_for_word() -> None:
    """What it means is decided by its text, and that is not a text for people."""
    assert TerminalAnswer(403, "jo@example.com has no subscription").text == "jo@example.com has no subscription"
