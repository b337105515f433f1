"""What the Terminal's answers mean."""

from datetime import date

import pytest

from tests.cli.small_store import HEADER
from thetabulk.assembly.doctor.answers import golden_fault, golden_finding
from thetabulk.assembly.doctor.talk import Reply, Talk
from thetabulk.config import DoctorConfig
from thetabulk.errors import BadAnswer, TransferFailed
from thetabulk.fetch.client import Answer
from thetabulk.report.findings import Level

DAY = date(2024, 8, 2)
ROW = '"QQQ","2024-08-16",460.000,"CALL",2024-08-02T09:30:00.000,1,5,1.00,50,2,9,1.10,50\n'
REFUSED = "requires a value subscription, but you only have a FREE subscription"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW,
        (HEADER + ROW * 3).replace("\n", "\r\n"),
        (HEADER + ROW).rstrip("\n"),
        HEADER + ROW.replace('"', ""),
        HEADER + ROW.replace("T09:30:00.000", "T09:30:00"),
        ",".join(f'"{name}"' for name in HEADER.strip().split(",")) + "\n" + ROW,
    ],
)
def test_every_known_form_of_good_rows_is_good(text: str) -> None:
    """Line ends, quotes and time stamps may be as they like."""
    assert golden_fault(text, "QQQ", DAY) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "another header than expected: -"),
        ("<html>", "another header than expected: <html>"),
        (HEADER.replace("bid,", "bid_price,") + ROW, "another header"),
        (HEADER, "no rows"),
        (HEADER + ROW + '"QQQ","2024', "row 2 has 2 fields, not 13"),
        (HEADER + ROW.replace("2024-08-02T", "2024-08-01T"), "row 1 is of another day"),
        (HEADER + ROW + ROW.replace("QQQ", "SPY"), "row 2 is of another day or symbol"),
    ],
)
def test_what_is_no_answer_to_the_golden_request_is_told(text: str, words: str) -> None:
    """With the row, where it is one."""
    assert words in golden_fault(text, "QQQ", DAY)


@pytest.mark.parametrize(
    ("golden", "reports", "level", "code"),
    [
        (Answer(403, REFUSED.encode(), {}, 0.1), Answer(200, b"x", {}, 0.1), Level.WARN, 0),
        (Answer(403, REFUSED.encode(), {}, 0.1), Answer(403, REFUSED.encode(), {}, 0.1), Level.PROBLEM, 7),
        (Answer(403, REFUSED.encode(), {}, 0.1), TransferFailed("cut", kind="cut"), Level.PROBLEM, 7),
        (Answer(403, b"<html>blocked by a virus scanner", {}, 0.1), None, Level.PROBLEM, 8),
        (TransferFailed("stalled: 0 bytes", kind="stalled"), None, Level.WARN, 0),
        (TransferFailed("dropped: reset", kind="dropped"), None, Level.PROBLEM, 8),
        (BadAnswer("larger than 16 MB", kind="oversize"), None, Level.PROBLEM, 8),
        (Answer(500, b"Invalid session ID. This can occur if more than one", {}, 0.1), None, Level.PROBLEM, 7),
    ],
)
def test_an_answer_that_is_no_data_has_its_level_and_its_exit_code(
    golden: Reply, reports: Reply | None, level: Level, code: int
) -> None:
    """7 for the account, 8 for the Terminal; what may pass by itself is a warning."""
    found = golden_finding(Talk("http://127.0.0.1:1", None, golden=golden, reports=reports), DoctorConfig())
    assert found is not None
    assert (found.level, found.code) == (level, code)


def test_without_a_golden_day_nothing_is_said() -> None:
    """The quick form asks for none."""
    assert golden_finding(Talk("http://127.0.0.1:1", None), DoctorConfig()) is None
