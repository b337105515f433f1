"""The report of first contact: what was found, what is unlike the documents, what follows."""

from typing import Any

import pytest

from thetabulk.report.first_contact import differences, told

GRID = {"symbol": "QQQ", "half_day": False, "until": "16:15", "first": "09:30", "last": "16:15", "rows": 406}
NO_DATA = {"about": "weekend", "status": 472, "text": "No data found for your request", "means": "empty"}
USUAL: dict[str, Any] = {
    "symbol": "QQQ", "columns": "", "line_end": "\n", "final_newline": True, "header_quoted": False,
    "quoted": ["symbol"], "stamps": "fixed", "order": "contract", "grids": [GRID], "told": [NO_DATA],
    "contract_list": {"relation": "equal", "unquoted": 0.0, "unlisted": 0.0}, "compression": "none",
    "framing": "chunked", "header_s": 0.1, "first_byte_s": 0.2, "tiers": {"option": "standard"},
    "tiers_from": {"option": "banner"}, "requests": 4,
}  # fmt: skip
UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(USUAL), "symbol": "QQQ", "grids": [], "told": [],
}  # fmt: skip


def document(profile: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = [{"question": "QQQ, a Saturday", "status": 472}]
    return {"profile": profile, "questions": asked, "kept": "/drive/store", **more}


def test_the_documented_vendor_has_no_differences() -> None:
    assert list(differences(USUAL)) == []
    lines = list(told(document(USUAL)))
    assert lines[0] == "First contact, about QQQ: 1 of 1 questions answered"
    assert "minutes        QQQ, whole day until 16:15: 406 rows, 09:30–16:15" in lines
    assert "subscription   option standard (by banner); stock not known; index not known" in lines
    assert "Nothing is unlike what is documented." in lines
    assert lines[-1] == "Kept in the ledger of /drive/store."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"grids": [GRID | {"rows": 405, "last": "16:14"}]}, "405 rows, 09:30–16:14: such days are whole"),
        ({"grids": [GRID | {"first": "09:31", "rows": 391}]}, "391 rows, 09:31–16:15: such days are whole"),
        ({"grids": [GRID | {"rows": 211, "last": "13:00"}]}, "211 rows, 09:30–13:00: that is no whole day"),
        ({"contract_list": {"relation": "superset"}}, "also contracts that have no quotes"),
        ({"contract_list": {"relation": "missing"}}, "without that proof"),
        ({"told": [NO_DATA | {"status": 200, "text": "Nope"}]}, 'HTTP 200 "Nope" means: no data'),
        ({"told": [NO_DATA | {"status": 403, "text": "Pay", "means": "refused"}]}, "not in the subscription"),
        ({"told": [NO_DATA | {"status": 500, "text": "Oops", "means": ""}]}, "it could mean anything"),
        ({"final_newline": False}, "they count as whole"),
        ({"columns": "appended venue"}, "`download --schema-drift keep` keeps them"),
        ({"columns": "changed"}, "which thetabulk cannot store"),
        ({"stamps": "99:99"}, "thetabulk cannot read them"),
        ({"framing": "close"}, "fetch.allow_close_delimited"),
    ],
)
def test_every_difference_is_a_sentence(changed: dict[str, Any], said: str) -> None:
    """One each, and in the report."""
    [sentence] = differences(USUAL | changed)
    assert said in sentence
    assert said.replace("\n", " ") in " ".join(line.strip() for line in told(document(USUAL | changed)))


def test_a_half_day_may_be_as_long_as_a_whole_one() -> None:
    """And a whole day not as short as a half one (above)."""
    assert list(differences(USUAL | {"grids": [GRID | {"half_day": True, "rows": 391, "last": "16:00"}]})) == []


def test_what_is_not_known_is_said_so() -> None:
    """Without a store, without answers."""
    missed = [{"question": "QQQ, a Saturday", "status": None, "error": "stalled"}]
    lines = list(told(document(UNKNOWN, questions=missed, kept=None)))
    assert "no answer: QQQ, a Saturday (stalled)" in lines
    assert "order of rows  not known" in lines
    assert lines[-1].startswith("Not kept: there is no store yet.")


def test_nothing_is_wider_than_a_terminal() -> None:
    """However much the vendor has to say."""
    text = "A very long sentence about nothing at all, which goes on and on. " * 8
    loud = [{"about": about, "status": 200, "text": text, "means": "empty"} for about in ("weekend", "before", "above")]
    lines = list(told(document(USUAL | {"told": loud, "quoted": ["a_long_name_of_a_column"] * 12})))
    assert max(map(len, lines)) < 80
