"""Every fault is seen firing, over the wire, and heals when it is told to."""

from collections import Counter
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import pytest

from tests.unit.simulator.asking import CONTRACTS, DAY, EOD, INTEREST, Reply, asking
from thetabulk.simulator.endpoints import MDDS_STATUS
from thetabulk.simulator.faults import KINDS
from thetabulk.simulator.refusals import STATUS_TEXTS

Check = Callable[[Reply, Reply], bool]


def counts(reply: Reply) -> list[int]:
    return sorted(set(Counter(reply.keys).values()))


def changed(reply: Reply, calm: Reply) -> int:
    """How many rows are not as they should be."""
    return sum(one != other for one, other in zip(reply.lines, calm.lines, strict=True))


def swapped(line: str) -> str:
    """With its last two fields the other way round."""
    *others, one, other = line.split(",")
    return ",".join([*others, other, one])


def all_swapped(reply: Reply, calm: Reply) -> bool:
    return [swapped(line) for line in reply.lines] == calm.lines


SEEN: dict[str, Check] = {
    "html": lambda reply, calm: reply.status == 200 and "<html>" in reply.text,
    "text": lambda reply, calm: (reply.status, reply.text) == (200, "No data found for your request"),
    "empty": lambda reply, calm: (reply.status, reply.body) == (200, b""),
    "header-only": lambda reply, calm: reply.status == 200 and reply.lines == calm.lines[:1] and reply.text[-1] == "\n",
    "false472": lambda reply, calm: (reply.status, reply.text) == (472, "No data found for your request"),
    "reset": lambda reply, calm: reply.broken != "" and reply.body == b"",
    "reset:at=0.5": lambda reply, calm: reply.broken != "" and len(reply.body) < len(calm.body),
    "cut": lambda reply, calm: reply.broken == "ClientPayloadError" and calm.body.startswith(reply.body),
    "cut:at=0.5": lambda reply, calm: 0.4 < len(reply.body) / len(calm.body) < 0.6,
    "cut:at=1000": lambda reply, calm: reply.broken != "" and reply.body == calm.body[:1000],
    "stall:seconds=0.01": lambda reply, calm: reply.body == calm.body,
    "delay:seconds=0.01": lambda reply, calm: reply.body == calm.body,
    "drip:rate=2000000": lambda reply, calm: reply.body == calm.body,
    "degrade:rate=2000000": lambda reply, calm: reply.body == calm.body,
    "degrade:answer=500": lambda reply, calm: reply.status == 500,
    "clean-cut": lambda reply, calm: 1 <= len(reply.lines) < len(calm.lines) and calm.text.startswith(reply.text),
    "clean-cut:at=0.5,by=contract": lambda reply, calm: counts(reply) == [7] and len(reply.rows) < len(calm.rows),
    "clean-cut:at=5000,by=byte": lambda reply, calm: not reply.broken and not reply.text.endswith("\n"),
    "wrong-day": lambda reply, calm: {row[4][:10] for row in reply.rows} == {"2024-08-01"},
    "wrong-day:rows=one": lambda reply, calm: changed(reply, calm) == 1,
    "wrong-symbol": lambda reply, calm: {row[0] for row in reply.rows} == {"SPY"},
    "wrong-symbol:rows=one": lambda reply, calm: Counter(row[0] for row in reply.rows)["SPY"] == 1,
    "drop-contract": lambda reply, calm: len(set(calm.keys) - set(reply.keys)) == 1 and counts(reply) == [7],
    "drop-contract:count=3": lambda reply, calm: len(set(calm.keys) - set(reply.keys)) == 3,
    "double-contract": lambda reply, calm: counts(reply) == [7, 14] and set(reply.keys) == set(calm.keys),
    "drop-row": lambda reply, calm: counts(reply) == [6, 7],
    "double-row": lambda reply, calm: counts(reply) == [7, 8],
    "grid:rows=5": lambda reply, calm: counts(reply) == [5],
    "grid:rows=5,contracts=one": lambda reply, calm: counts(reply) == [5, 7],
    "restate:skip=0": lambda reply, calm: reply.keys == calm.keys and reply.body != calm.body,
    "time-major": lambda reply, calm: sorted(reply.lines) == sorted(calm.lines) and reply.keys[0] != reply.keys[1],
    "reversed": lambda reply, calm: sorted(reply.lines) == sorted(calm.lines) and reply.keys == calm.keys[::-1],
    "no-final-newline": lambda reply, calm: reply.text == calm.text[:-1],
    "mixed-newlines": lambda reply, calm: reply.lines == calm.lines and 0 < reply.body.count(b"\r\n") < len(calm.rows),
    "three-decimals": lambda reply, calm: Counter(len(row[11].partition(".")[2]) for row in reply.rows)[3] == 1,
    "nan": lambda reply, calm: Counter(row[7] for row in reply.rows)["NaN"] == 1,
    "negative": lambda reply, calm: sum(row[7].startswith("-") for row in reply.rows) == 1,
    "old-expiration": lambda reply, calm: Counter(key[0] for key in reply.keys)["1882-12-30"] == 7,
    "unlisted-contract": lambda reply, calm: len(set(reply.keys) - set(calm.keys)) == 1,
    "new-column": lambda reply, calm: reply.lines == [calm.lines[0] + ",surprise", *(f"{x},7" for x in calm.lines[1:])],
    "renamed-column": lambda reply, calm: reply.lines[0].endswith("_new") and reply.lines[1:] == calm.lines[1:],
    "swapped-columns": all_swapped,
    "error-inside": lambda reply, calm: reply.lines[-1].startswith("Internal server error") and len(reply.lines) > 7,
}  # fmt: skip


@pytest.mark.parametrize("spec", SEEN)
async def test_a_fault_is_seen_and_heals(spec: str) -> None:
    """The first answer is hit, the second is as it should be."""
    separator = "," if ":" in spec else ":"
    async with asking(f"{spec}{separator}times=1") as asker, asking() as calm:
        hit, healed, expected = await asker.chain_day(), await asker.chain_day(), await calm.chain_day()
    assert SEEN[spec](hit, expected)
    assert healed.body == expected.body
    assert not SEEN[spec](expected, expected) or hit.body == expected.body


@pytest.mark.parametrize("status", sorted(STATUS_TEXTS))
async def test_every_status_comes_with_its_words(status: int) -> None:
    """Plain text, as far as it has been seen."""
    async with asking(f"{status}") as asker:
        reply = await asker.chain_day()
    assert (reply.status, reply.text) == (status, STATUS_TEXTS[status])


@pytest.mark.parametrize("text", ["2", "-5", "soon", "99999999999"])
async def test_retry_after_is_sent_as_it_is_written(text: str) -> None:
    """Seconds, and what a client must survive."""
    async with asking(f"429:retry_after={text}") as asker:
        assert (await asker.chain_day()).headers["Retry-After"] == text


async def test_retry_after_may_be_a_date() -> None:
    """The other form of RFC 9110, so many seconds ahead."""
    async with asking("503:retry_after=date+30") as asker:
        reply = await asker.chain_day()
    assert parsedate_to_datetime(reply.headers["Retry-After"]) > parsedate_to_datetime(reply.headers["Date"])


async def test_contract_lists_fail_alone() -> None:
    """With a status, with 403, or with nothing; the data are not touched."""
    for answer, status in (("500", 500), ("403", 403), ("empty", 200)):
        async with asking(f"list-fails:answer={answer}") as asker:
            listed = await asker.get(CONTRACTS, symbol="QQQ", date=DAY)
            assert (listed.status, listed.body == b"") == (status, answer == "empty")
            assert (await asker.chain_day()).status == 200


async def test_a_restated_day_stays_restated() -> None:
    """From the second time on, always the same new story."""
    async with asking("restate") as asker:
        first, second, third = [await asker.chain_day() for _ in range(3)]
    assert first.body != second.body == third.body


async def test_reports_can_be_hit_too() -> None:
    """Faults in rows work on end of day and open interest."""
    async with (
        asking("drop-contract;wrong-day:on=eod;nan:on=open_interest;double-row:on=eod") as asker,
        asking() as calm,
    ):
        span = {"symbol": "QQQ", "expiration": "*", "start_date": DAY, "end_date": DAY}
        report, interest = await asker.get(EOD, **span), await asker.get(INTEREST, **span)
        whole = await calm.get(EOD, **span)
    assert {row[4][:10] for row in report.rows} == {"2024-08-01"}
    assert len(set(whole.keys) - set(report.keys)) == 1
    assert len(report.rows) == len(whole.rows)
    assert [row[5] for row in interest.rows].count("NaN") == 1


async def test_faults_add_up() -> None:
    """Several at once, in the order in which they are written."""
    async with asking("drop-contract;double-row;no-final-newline;cut:at=0.9") as asker:
        reply = await asker.chain_day()
        assert reply.broken
        assert asker.simulator.requests[0].faults == ("drop-contract", "double-row", "no-final-newline", "cut")


async def test_degradation_begins_after_some_requests() -> None:
    """Fine at first, then failing: sustained load was never tried (incidents.md §3)."""
    async with asking("degrade:after=3,answer=500") as asker:
        statuses = [(await asker.chain_day(date=f"2024-08-{day:02}")).status for day in (1, 2, 5, 6, 7)]
    assert statuses == [200, 200, 200, 500, 500]


async def test_a_subscription_that_shrinks_in_mid_run() -> None:
    """From a request on the account is another one, for old days and new ones, in the vendor's words."""
    async with asking("shrink:after=2,tier=free") as asker:
        replies = [await asker.chain_day(date=f"2024-08-{day:02}") for day in (1, 2, 1)]
    assert [reply.status for reply in replies] == [200, 200, 403]
    assert "you only have a FREE subscription" in replies[2].text


@pytest.mark.parametrize(
    ("word", "status", "text"), [("UNVERIFIED", 200, "UNVERIFIED"), ("429", 429, "Too many requests")]
)
async def test_what_the_terminal_says_of_itself(word: str, status: int, text: str) -> None:
    """At the second call of three, whatever data requests are answered."""
    async with asking(f"status:word={word},from=2,to=2") as asker:
        replies = [await asker.get(MDDS_STATUS) for _ in range(3)]
        data = await asker.chain_day()
    assert [(reply.status, reply.text) for reply in replies] == [(200, "CONNECTED"), (status, text), (200, "CONNECTED")]
    assert data.status == 200


async def test_a_fault_that_ends_after_some_time() -> None:
    """It strikes the first request, at second 0, and none from second 0 on."""
    async with asking("500:until_s=1") as asker:
        assert (await asker.chain_day()).status == 500
    async with asking("500:until_s=0") as asker:
        assert (await asker.chain_day()).status == 200


def test_every_fault_has_been_seen() -> None:
    """A fault without a test would be a promise."""
    seen = {spec.partition(":")[0] for spec in SEEN} | {str(status) for status in STATUS_TEXTS}
    seen |= {"list-fails", "shrink", "status"}
    assert seen == set(KINDS)
