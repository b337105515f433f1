"""How rows are printed: held against the vendor's own samples, which nothing here has made."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from thetabulk.simulator.endpoints import ENDPOINTS
from thetabulk.simulator.lines import LIVE, SPEC, clock, ndjson, strike_text

GOLDEN = Path(__file__).parents[2] / "golden"
HEADERS: dict[str, list[str]] = json.loads((GOLDEN / "vendor_headers.json").read_text())


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
def test_headers_are_the_vendors(path: str) -> None:
    """Every served endpoint has the columns of the OpenAPI file, in its order."""
    known = path.removeprefix("/v3")
    if known not in HEADERS:
        known = known.rpartition("/")[0] + "/{request_type}"
    assert list(ENDPOINTS[path].columns) == HEADERS[known]


def milliseconds(text: str) -> int:
    at = datetime.fromisoformat(text.ljust(19, "0") if "." not in text else text.ljust(23, "0"))
    return (at.hour * 3_600 + at.minute * 60 + at.second) * 1_000 + at.microsecond // 1_000


@pytest.mark.parametrize("name", ["option_history_quote", "option_history_eod", "option_history_open_interest"])
def test_the_vendors_sample_rows_are_printed_as_they_are(name: str) -> None:
    """The beginning of each row, contract and stamps, comes out byte for byte in the `spec` format."""
    header, *lines = (GOLDEN / "vendor_samples" / f"{name}.csv").read_bytes().splitlines(keepends=True)
    endpoint = next(one for one in ENDPOINTS.values() if one.path.endswith(name.removeprefix("option_history_")))
    assert SPEC.header(endpoint.columns) == header
    for line in lines:
        symbol, expiration, strike, right, stamp, *_ = line.decode().split(",")
        mills = int(strike.replace(".", ""))
        day = date.fromisoformat(stamp[:10])
        printed = SPEC.contract(symbol, date.fromisoformat(expiration), mills, right)
        assert line.startswith(printed + SPEC.stamp(day, milliseconds(stamp)) + b",")
        assert line.endswith(SPEC.newline)


def test_a_live_row_looks_as_seen_in_the_wild() -> None:
    """Quoted texts, an unquoted strike and stamp, the fraction always there, LF (performance.md §A)."""
    row = LIVE.contract("QQQ", date(2024, 8, 2), 455_000, "CALL") + LIVE.stamp(date(2024, 8, 2), 34_200_000)
    assert row == b'"QQQ","2024-08-02",455.000,"CALL",2024-08-02T09:30:00.000'
    assert LIVE.header(("symbol", "date")) == b"symbol,date\n"


@pytest.mark.parametrize(
    ("stamp", "short", "long"),
    [(34_200_000, b"T09:30:00", b"T09:30:00.000"), (34_204_430, b"T09:30:04.43", b"T09:30:04.430"),
     (23_400_997, b"T06:30:00.997", b"T06:30:00.997"), (100, b"T00:00:00.1", b"T00:00:00.100")],
)  # fmt: skip
def test_fractions_are_short_or_whole(stamp: int, short: bytes, long: bytes) -> None:
    """0 to 3 digits in the OpenAPI file, always three from a Terminal (thetadata-v3.md §1.3)."""
    assert (clock(stamp, False), clock(stamp, True)) == (short, long)


def test_an_absent_text_is_nothing() -> None:
    """`full_close,,`: empty fields are not quoted."""
    assert LIVE.text("") == SPEC.text("") == b""
    assert strike_text(14_500) == b"14.500"


def test_ndjson_keeps_numbers_as_they_are_printed() -> None:
    """One object a row; what is a number in CSV is one in JSON, with the same digits."""
    line = b'"QQQ","2024-08-02",455.000,"CALL"\n'
    printed = ndjson(("symbol", "expiration", "strike", "right"), frozenset({"strike"}), line)
    assert printed == b'{"symbol":"QQQ","expiration":"2024-08-02","strike":455.000,"right":"CALL"}\n'
    assert ndjson(("type", "open"), frozenset(), b"full_close,\r\n") == b'{"type":"full_close","open":null}\n'
