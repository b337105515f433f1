import json
import random
from datetime import UTC, datetime, timedelta, timezone
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ledger.days import NOON, boundaries, failed, jobs, outcomes, saved, shard, times
from thetabulk.ledger import payload
from thetabulk.ledger.payload import ContractList
from thetabulk.ledger.record import DamagedRecord, NewerRecord, from_line, pieces, to_line
from thetabulk.model import Asked, Boundary, Empty, Job, Outcome, Refused

LINE = to_line("day", 17, NOON, payload.outcome_payload(saved(1)))


def test_a_line_is_what_the_documentation_shows() -> None:
    """People read it with jq, and check files with sha256sum; the fields and their order are part of the contract."""
    fields = json.loads(LINE)
    assert list(fields) == [
        *("kind", "v", "seq", "at", "dataset", "selection", "symbol", "day", "outcome", "proof", "rows", "contracts"),
        *("bytes", "mtime_ns", "sha256", "vendor_bytes", "vendor_xxh3", "content", "request", "terminal", "tier"),
        *("attempts", "seconds", "remarks", "crc"),
    ]
    assert LINE.startswith(b'{"kind":"day","v":1,"seq":17,"at":"2026-11-20T12:00:00Z","dataset":"option/quote/1m"')
    body = LINE[: LINE.index(b',"crc"')]
    assert fields["crc"] == f"{crc32(body):08x}"
    assert LINE.endswith(b'"}\n')


def test_a_failure_says_kind_and_message() -> None:
    """`jq 'select(.error)'` lists what went wrong."""
    assert payload.outcome_payload(failed(1))["error"] == {"kind": "cut", "message": "the answer ended after 12 MB"}
    refused = Refused(shard(1), Asked("r"), "needs PROFESSIONAL")
    assert payload.outcome_payload(refused)["error"]["message"] == "needs PROFESSIONAL"


@given(outcomes, st.integers(1, 2**53), times)
def test_every_outcome_comes_back_as_it_was(outcome: Outcome, seq: int, at: datetime) -> None:
    """Whatever text a vendor or a person put into it."""
    line = to_line("day", seq, at, payload.outcome_payload(outcome))
    record = from_line(line)
    assert (record.kind, record.seq, record.at) == ("day", seq, at)
    assert payload.outcome_of(record.payload) == outcome
    assert line.isascii()
    assert line.count(b"\n") == 1


@given(boundaries, jobs)
def test_boundaries_and_jobs_come_back_as_they_were(boundary: Boundary, job: Job) -> None:
    """A `resume` next week asks for exactly what was asked for today."""
    line = to_line("boundary", 1, NOON, payload.boundary_payload(boundary))
    assert payload.boundary_of(from_line(line).payload) == boundary
    line = to_line("job", 2, NOON, payload.job_payload(job))
    assert payload.job_of(from_line(line).payload) == job
    listed = ContractList("QQQ", NOON.date(), 8_778, "ab")
    assert payload.contracts_of(payload.contracts_payload(listed)) == listed


def test_every_time_is_written_in_utc_to_the_second() -> None:
    """Whatever zone it was told in; a time without a zone would be a guess."""
    tokyo = datetime(2026, 11, 20, 21, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=9)))
    assert from_line(to_line("job", 1, tokyo, {})).at == NOON
    empty = Empty(shard(1), Asked("r"), 3, tokyo)
    assert payload.outcome_payload(empty)["since"] == "2026-11-20T12:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        to_line("job", 1, datetime(2026, 11, 20), {})  # noqa: DTZ001


def test_what_json_cannot_say_is_never_written() -> None:
    """NaN would make a line that no other reader takes; a second `seq` would hide the first."""
    with pytest.raises(ValueError, match="JSON"):
        to_line("profile", 1, NOON, {"share": float("nan")})
    with pytest.raises(ValueError, match="seq"):
        to_line("profile", 1, NOON, {"seq": 3})


def test_every_single_flipped_bit_is_seen() -> None:
    """All of them, in the checksum too."""
    line = LINE[:-1]
    for position in range(len(line)):
        for bit in range(8):
            flipped = bytearray(line)
            flipped[position] ^= 1 << bit
            with pytest.raises(DamagedRecord):
                from_line(bytes(flipped))


@given(st.binary(max_size=200))
def test_foreign_bytes_are_no_record(line: bytes) -> None:
    """And never another error than that."""
    with pytest.raises(DamagedRecord):
        from_line(line)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"kind":"day"',
        b"[1",
        b'{"kind":"day","v":1,"seq":1,"at":"noon"',
        b'{"kind":"day","v":"1","seq":1,"at":""',
        b'{"kind":"day","v":1,"seq":1,"at":"2026-11-20T12:00:00Z"}{"kind":"day"',
    ],
)
def test_a_sound_checksum_does_not_make_a_record(body: bytes) -> None:
    """Somebody may have edited the ledger, checksum and all."""
    with pytest.raises(DamagedRecord):
        from_line(b'%s,"crc":"%08x"}' % (body, crc32(body)))


def test_a_line_of_a_newer_version_is_told_apart_from_damage() -> None:
    """It must be kept as it is, and nothing written after it."""
    body = LINE[: LINE.index(b',"crc"')].replace(b'"v":1', b'"v":2')
    with pytest.raises(NewerRecord, match="newer"):
        from_line(b'%s,"crc":"%08x"}' % (body, crc32(body)))


def test_two_lines_that_ran_together_come_apart_again() -> None:
    """A flip in a line's end costs no record."""
    other = to_line("day", 18, NOON, payload.outcome_payload(failed(2)))
    for end in (b"\x0b", b"", b"\x00\x00"):
        assert pieces(LINE[:-1] + end + other[:-1]) == [LINE[:-1], other[:-1]]
    assert pieces(b"neither") == [b"neither"]
    dice = random.Random(1)
    for _ in range(200):  # whatever it is, it takes no exception to make something of it
        pieces(bytes(dice.choices(LINE, k=40)) + LINE + LINE[:100] + UTC.tzname(None).encode())
