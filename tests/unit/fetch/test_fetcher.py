"""One Shard to its Outcome: what every answer becomes, and who learns of it."""

import asyncio
import contextlib
import gc
import threading

import pytest

from tests.unit.fetch.onion import (
    ASIDE,
    BODY,
    LISTED,
    NOON,
    REQUEST,
    SHARD,
    TARGET,
    Fate,
    Onion,
    Weighed,
    errand,
)
from tests.unit.fetch.raw_server import in_a_loop
from tests.virtual_time import in_virtual_time, now
from thetabulk.config import FetchConfig
from thetabulk.errors import (
    AttemptError,
    BadAnswer,
    DiskFull,
    DriveGone,
    NotConnected,
    SessionTaken,
    TerminalAnswer,
    ThetabulkError,
    TransferFailed,
)
from thetabulk.events import AttemptFailed, BytesReceived, Checking, ShardStarted
from thetabulk.fetch.fetcher import in_thread
from thetabulk.fetch.gate import Draining
from thetabulk.fetch.verdict import Verdict
from thetabulk.model import Asked, Contract, Empty, Failed, Proof, Refused, Saved

CUT = TransferFailed("cut: the body ended", kind="cut")
NOBODY = TransferFailed("unreachable: refused", kind="unreachable")
DROPPED = TransferFailed("dropped: reset", kind="dropped")
STALLED = TransferFailed("stalled: 0 bytes", kind="stalled")
HTML = BadAnswer("the body is HTML", kind="text")
NO_DATA = TerminalAnswer(472, "No data found for your request")
REFUSAL = TerminalAnswer(403, "This requires a standard subscription; you only have a free subscription")


# What becomes of an answer


@in_virtual_time
async def test_a_whole_answer_is_saved_with_what_is_known_of_it() -> None:
    """Of the answer, of the file, and of how it was come by."""
    onion = Onion(CUT, None)
    outcome = await onion.fetcher.fetch(errand(print_again=True))
    assert outcome == Saved(
        SHARD, Asked(REQUEST.text, attempts=2, seconds=4.5, terminal="", tier="standard"), Proof.FULL, 391, 1, 12, 34,
        "cd" * 32, 20, "ab" * 16, "391:beef",
    )  # fmt: skip
    assert onion.recordings[1].body == b"".join(BODY)
    assert onion.calls[1] == ["weigh", f"commit {TARGET} and print", "abort"]
    assert onion.listed == [LISTED]


@pytest.mark.parametrize(
    ("answer", "kind", "attempts"),
    [
        (TerminalAnswer(400, "Invalid interval"), "asked-wrongly", 1),
        (TerminalAnswer(404, "<html>"), "asked-wrongly", 1),
        (TerminalAnswer(410, "v2 is gone"), "asked-wrongly", 1),
        (TerminalAnswer(473, "bad parameters"), "asked-wrongly", 1),
        (TerminalAnswer(476, "wrong ip"), "asked-wrongly", 1),
        (TerminalAnswer(570, "large request"), "http-570", 1),
        (TerminalAnswer(403, "blocked by your virus scanner"), "http-403", 4),
        (TerminalAnswer(429, "queue is full"), "http-429", 4),
        (TerminalAnswer(500, "oops"), "http-500", 4),
        (CUT, "cut", 4),
        (DROPPED, "dropped", 4),
        (STALLED, "stalled", 4),
        (HTML, "text", 4),
        (BadAnswer("another header", kind="header"), "header", 4),
    ],
    ids=str,
)
@in_virtual_time
async def test_what_cannot_be_had_has_failed(answer: Exception, kind: str, attempts: int) -> None:
    """With its kind and the last message, after as many attempts as make sense."""
    onion = Onion(answer)
    outcome = await onion.fetcher.fetch(errand())
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.asked.attempts, outcome.message) == (kind, attempts, str(answer))
    assert len(onion.client.asked_at) == attempts


@pytest.mark.parametrize("answer", [NO_DATA, TerminalAnswer(200, "No data found for your request")], ids=str)
@in_virtual_time
async def test_no_data_is_an_answer(answer: TerminalAnswer) -> None:
    """The first of its kind, now."""
    outcome = await Onion(answer).fetcher.fetch(errand())
    assert isinstance(outcome, Empty)
    assert (outcome.checks, outcome.since) == (1, NOON)


@in_virtual_time
async def test_empty_answers_are_counted_from_the_first() -> None:
    """`since` stays: it decides when the day is asked for again."""
    earlier = Empty(SHARD, Asked(""), checks=3, since=NOON.replace(year=2025))
    outcome = await Onion(NO_DATA).fetcher.fetch(errand(earlier_empty=earlier))
    assert isinstance(outcome, Empty)
    assert (outcome.checks, outcome.since) == (4, NOON.replace(year=2025))


@pytest.mark.parametrize("status", [403, 471])
@in_virtual_time
async def test_a_refusal_keeps_the_vendors_words(status: int) -> None:
    """They name the tier."""
    outcome = await Onion(TerminalAnswer(status, f" {REFUSAL.text}\n")).fetcher.fetch(errand())
    assert isinstance(outcome, Refused)
    assert outcome.message == REFUSAL.text


@in_virtual_time
async def test_a_session_that_was_taken_over_is_for_the_run_to_wait_for() -> None:
    """Never fought over: asked once, told with what to do, and its exit code is 7."""
    onion = Onion(TerminalAnswer(478, "Invalid session ID"))
    with pytest.raises(SessionTaken, match="taken over") as caught:
        await onion.fetcher.fetch(errand())
    assert (len(onion.client.asked_at), onion.gate.in_flight, caught.value.exit_code) == (1, 0, 7)
    assert "one account has one session" in caught.value.hint


@pytest.mark.parametrize(("status", "said"), [(474, "has lost the vendor's servers"), (571, "is still starting")])
@in_virtual_time
async def test_a_terminal_without_the_vendor_is_for_the_run_to_wait_for(status: int, said: str) -> None:
    """At once: no attempt of the day is used up, and no back-off is slept; its exit code is 8."""
    onion = Onion(TerminalAnswer(status, "Connection lost"))
    with pytest.raises(NotConnected, match=f"the Terminal {said} .*Connection lost") as caught:
        await onion.fetcher.fetch(errand())
    assert (len(onion.client.asked_at), onion.slept, onion.gate.in_flight) == (1, [], 0)
    assert caught.value.exit_code == 8


@in_virtual_time
async def test_a_doubtful_answer_is_not_kept_but_remembered() -> None:
    """Its content is what the next one is compared with."""
    onion = Onion(weighed=Weighed(Fate.ASK_AGAIN, remarks=("3 contracts have fewer rows", "and")))
    outcome = await onion.fetcher.fetch(errand())
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.content, outcome.kept) == ("unconfirmed", "391:beef", "")
    assert outcome.message == "to be confirmed: 3 contracts have fewer rows"
    assert outcome.remarks == ("3 contracts have fewer rows", "and")
    assert onion.calls == [["weigh", "abort"]]


@in_virtual_time
async def test_another_answer_than_before_is_no_confirmation() -> None:
    """It says so."""
    onion = Onion(weighed=Weighed(Fate.ASK_AGAIN, remarks=("rows came more than once",)))
    outcome = await onion.fetcher.fetch(errand(earlier_content="390:dead"))
    assert isinstance(outcome, Failed)
    assert outcome.message == "another answer than before: rows came more than once"


@in_virtual_time
async def test_a_lacking_answer_that_is_confirmed_is_kept_aside() -> None:
    """Whole and readable, for `accept`; the day has failed."""
    onion = Onion(weighed=Weighed(Fate.KEEP_ASIDE, remarks=("200 rows are no known grid",)))
    outcome = await onion.fetcher.fetch(errand(earlier_content="391:beef"))
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.kept, outcome.content) == ("incomplete", str(ASIDE), "391:beef")
    assert onion.calls == [["weigh", f"commit {ASIDE}", "abort"]]


@in_virtual_time
async def test_an_odd_answer_that_is_confirmed_is_saved_with_its_remarks() -> None:
    """Surplus, twice the same."""
    weighed = Weighed(Fate.SAVE, Proof.REMARKS, remarks=("2 rows came more than once",))
    outcome = await Onion(weighed=weighed).fetcher.fetch(errand(earlier_content="391:beef"))
    assert isinstance(outcome, Saved)
    assert (outcome.proof, outcome.remarks) == (Proof.REMARKS, ("2 rows came more than once",))


@in_virtual_time
async def test_a_lacking_answer_can_be_accepted() -> None:
    """By hand."""
    onion = Onion(weighed=Weighed(Fate.KEEP_ASIDE, Proof.REMARKS, remarks=("200 rows",)))
    assert isinstance(await onion.fetcher.fetch(errand(accept_lacking=True)), Saved)
    assert onion.calls[0][1] == f"commit {TARGET}"


# Attempts


@in_virtual_time
async def test_every_attempt_has_a_recording_of_its_own() -> None:
    """Nothing of a body that was not whole gets into the next one; each is let go of."""
    onion = Onion(CUT, HTML, TerminalAnswer(500, "oops"), None)
    assert isinstance(await onion.fetcher.fetch(errand()), Saved)
    assert onion.calls == [["abort"], ["abort"], ["abort"], ["weigh", f"commit {TARGET}", "abort"]]
    assert [one.body for one in onion.recordings] == [b"", b"", b"", b"".join(BODY)]
    assert [event.kind for event in onion.events if isinstance(event, AttemptFailed)] == ["cut", "text", "http-500"]


@pytest.mark.parametrize("call", ["feed", "weigh", "commit"])
@pytest.mark.parametrize("error", [HTML, AttemptError("other bytes came back", kind="read-back")], ids=str)
@in_virtual_time
async def test_what_is_found_wrong_with_a_body_is_worth_another_attempt(call: str, error: Exception) -> None:
    """While it streams, when it is weighed, and when it is read back from the drive."""
    onion = Onion()
    onion.steps[0, call] = error
    assert isinstance(await onion.fetcher.fetch(errand()), Saved)
    assert onion.calls[0][-1] == "abort"
    assert len(onion.recordings) == 2


@in_virtual_time
async def test_the_slot_is_held_for_the_transfer_only() -> None:
    """Never for a back-off, for weighing, or for the drive."""
    onion = Onion(CUT, None)
    await onion.fetcher.fetch(errand())
    assert set(onion.held("feed")) == {1}
    for call in ("sleep", "weigh", "commit", "abort"):
        assert set(onion.held(call)) == {0}, call
    assert onion.gate.in_flight == 0


@in_virtual_time
async def test_events_come_in_their_order() -> None:
    """Started when there is a slot, bytes as they come, checking when the body is whole."""
    onion = Onion()
    await onion.fetcher.fetch(errand())
    assert onion.events == [
        ShardStarted(SHARD), BytesReceived(SHARD, len(BODY[0])), BytesReceived(SHARD, len(BODY[1])), Checking(SHARD)
    ]  # fmt: skip


# Errors of the run


@pytest.mark.parametrize("call", ["feed", "weigh", "commit"])
@pytest.mark.parametrize("error", [DriveGone("gone"), DiskFull("full")], ids=str)
@in_virtual_time
async def test_errors_of_the_drive_pass_through_and_nothing_is_left_open(call: str, error: ThetabulkError) -> None:
    """They are about the run; neither breaker nor limit learns from them."""
    onion = Onion()
    onion.steps[0, call] = error
    with pytest.raises(type(error)):
        await onion.fetcher.fetch(errand())
    assert onion.calls[0][-1] == "abort"
    assert onion.results == ([] if call == "feed" else [Verdict.SAVE])
    assert (onion.gate.in_flight, len(onion.recordings)) == (0, 1)


@in_virtual_time
async def test_a_recording_that_cannot_be_begun_gives_its_slot_back() -> None:
    """The drive is gone before the first byte: no request is sent."""
    onion = Onion()
    onion.opening = DriveGone("gone")
    with pytest.raises(DriveGone):
        await onion.fetcher.fetch(errand())
    assert (onion.gate.in_flight, onion.client.asked_at) == (0, [])


@in_virtual_time
async def test_a_mistake_of_ours_passes_through_and_nothing_is_left_open() -> None:
    """It is the run's business what it costs."""
    onion = Onion()
    onion.steps[0, "weigh"] = KeyError("ours")
    with pytest.raises(KeyError):
        await onion.fetcher.fetch(errand())
    assert onion.calls == [["weigh", "abort"]]


# The contract list


@in_virtual_time
async def test_a_list_is_asked_for_beside_the_transfer() -> None:
    """It costs no time: the transfer is longer."""
    onion = Onion()

    async def slow() -> frozenset[Contract]:
        await asyncio.sleep(1.5)
        return LISTED

    onion.lists = slow
    await onion.fetcher.fetch(errand())
    assert (onion.lists_asked_at, now(), onion.listed) == ([0.0], 3.0, [LISTED])


@in_virtual_time
async def test_no_list_is_asked_for_while_the_gate_is_shut() -> None:
    """A pause means no requests; and what an absent Terminal does not answer would count as "no list"."""
    onion = Onion()
    onion.capacity = 0
    fetching = asyncio.ensure_future(onion.fetcher.fetch(errand()))
    await asyncio.sleep(100)
    assert onion.lists_asked_at == []
    onion.capacity = 1
    onion.gate.changed()
    assert isinstance(await fetching, Saved)
    assert onion.lists_asked_at == [100.0]


@in_virtual_time
async def test_a_list_that_was_not_to_be_had_is_asked_for_again_with_the_next_attempt() -> None:
    """The Terminal was away for both."""
    onion = Onion(CUT, None)
    answers = iter([None, LISTED])

    async def second_time() -> frozenset[Contract] | None:
        return next(answers)

    onion.lists = second_time
    await onion.fetcher.fetch(errand())
    assert onion.listed == [LISTED]


@in_virtual_time
async def test_a_list_is_given_up_with_its_attempt() -> None:
    """Over, not only cancelled: it may be writing. Its own error is looked at, and not told."""
    onion = Onion(NO_DATA)
    ended: list[str] = []

    async def never() -> frozenset[Contract] | None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("list")
            raise DriveGone("gone")

    onion.lists = never
    assert isinstance(await onion.fetcher.fetch(errand()), Empty)
    assert (ended, now()) == (["list"], 1.0)


@in_virtual_time
async def test_the_drive_may_be_gone_when_a_list_is_kept() -> None:
    """The run pauses, as for a day's own file."""
    onion = Onion()

    async def gone() -> frozenset[Contract]:
        raise DriveGone("gone")

    onion.lists = gone
    with pytest.raises(DriveGone):
        await onion.fetcher.fetch(errand())
    assert onion.calls == [["abort"]]


# Stopping


@in_virtual_time
async def test_a_run_that_stops_admits_nobody() -> None:
    """Draining passes through: it is no failure of the day."""
    onion = Onion()
    onion.gate.drain()
    with pytest.raises(Draining):
        await onion.fetcher.fetch(errand())
    assert (onion.recordings, onion.lists_asked_at) == ([], [])


@in_virtual_time
async def test_a_back_off_does_not_outlive_the_run() -> None:
    """A Retry-After of minutes, and Ctrl-C: there is nothing in flight to wait for."""
    onion = Onion(TerminalAnswer(429, "", retry_after="300"))
    asyncio.get_running_loop().call_later(10, onion.gate.drain)
    with pytest.raises(Draining):
        await onion.fetcher.fetch(errand())
    assert now() == 10.0


@pytest.mark.parametrize("seconds", [0.5, 2.5])
@in_virtual_time
async def test_a_cancelled_transfer_lets_go_of_everything(seconds: float) -> None:
    """Slot, recording, list; nobody learns from it."""
    onion = Onion()
    fetching = asyncio.ensure_future(onion.fetcher.fetch(errand()))
    await asyncio.sleep(seconds)
    fetching.cancel()
    await asyncio.wait((fetching,))
    assert fetching.cancelled()
    assert onion.calls == [["abort"]]
    assert (onion.gate.in_flight, onion.results) == (0, [])


class Held:
    """A call in a worker thread that lasts until it is let go of."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.ended = False

    def __call__(self) -> None:
        self.began.set()
        assert self.go_on.wait(10)
        self.ended = True


@pytest.mark.parametrize("call", ["weigh", "commit"])
@in_a_loop
async def test_a_cancellation_waits_for_the_running_thread_however_often_it_comes(call: str) -> None:
    """Nobody removes a file under its writer: the second Ctrl-C and the timer after it do not either."""
    onion, held = Onion(), Held()
    onion.client.seconds = 0.0
    onion.steps[0, call] = held
    fetching = asyncio.ensure_future(onion.fetcher.fetch(errand()))
    await asyncio.to_thread(held.began.wait, 10)
    for _ in range(3):
        fetching.cancel()
        await asyncio.wait((fetching,), timeout=0.01)
        assert not fetching.done()
        assert "abort" not in onion.calls[0]
    held.go_on.set()
    await asyncio.wait((fetching,))
    assert (held.ended, fetching.cancelled()) == (True, True)
    assert onion.calls[0][-1] == "abort"


@in_a_loop
async def test_a_recording_that_is_being_begun_is_let_go_of_too() -> None:
    """Cancelled at the very moment: its scratch file is there, and somebody has to remove it."""
    onion, held = Onion(), Held()
    begin = onion.fetcher._open_recording

    def slowly(*arguments: object) -> object:
        held()
        return begin(*arguments)  # type: ignore[arg-type]

    onion.fetcher._open_recording = slowly  # type: ignore[assignment]
    fetching = asyncio.ensure_future(onion.fetcher.fetch(errand()))
    await asyncio.to_thread(held.began.wait, 10)
    fetching.cancel()
    held.go_on.set()
    await asyncio.wait((fetching,))
    assert fetching.cancelled()
    assert onion.calls == [["abort"]]
    assert onion.gate.in_flight == 0


@in_a_loop
async def test_what_a_thread_raises_after_a_cancellation_is_nobodys_surprise() -> None:
    """Looked at, or asyncio would complain about it at some later time."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    held = Held()

    def fail() -> None:
        held()
        raise DriveGone("gone")

    job = asyncio.ensure_future(in_thread(fail))
    await asyncio.to_thread(held.began.wait, 10)
    job.cancel()
    held.go_on.set()
    await asyncio.wait((job,))
    assert job.cancelled()
    del job
    gc.collect()
    assert told == []


# Who learns


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (None, Verdict.SAVE),
        (NO_DATA, Verdict.EMPTY),
        (REFUSAL, Verdict.REFUSE),
        (TerminalAnswer(400, "?"), Verdict.ASKED_WRONGLY),
        (TerminalAnswer(429, ""), Verdict.SLOW_DOWN),
        (TerminalAnswer(474, ""), Verdict.PAUSE),
        (TerminalAnswer(478, ""), Verdict.ABORT),
        (TerminalAnswer(500, ""), Verdict.RETRY),
        (CUT, Verdict.RETRY),
        (DROPPED, Verdict.RETRY),
        (STALLED, Verdict.RETRY),
        (HTML, Verdict.RETRY),
        (NOBODY, Verdict.WAIT),
    ],
    ids=str,
)
@in_virtual_time
async def test_the_limit_hears_what_the_answer_meant(answer: Exception | None, verdict: Verdict) -> None:
    """No data and a refusal are told as such: it knows that they say nothing about load."""
    onion = Onion(answer, None)
    with contextlib.suppress(NotConnected, SessionTaken):
        await onion.fetcher.fetch(errand())
    assert onion.results[0] is verdict


@pytest.mark.parametrize(
    ("error", "failures", "absent"),
    [
        (NOBODY, 5, True),
        (DROPPED, 5, True),
        (TerminalAnswer(474, ""), 5, True),
        (STALLED, 5, False),
        (CUT, 5, False),
        (HTML, 5, False),
        (TerminalAnswer(500, ""), 5, False),
        (TerminalAnswer(429, ""), 5, False),
        (NO_DATA, 0, False),
        (REFUSAL, 0, False),
        (TerminalAnswer(400, "?"), 0, False),
    ],
    ids=str,
)
@in_virtual_time
async def test_the_breaker_hears_whether_there_was_a_good_answer(
    error: Exception, failures: int, absent: bool
) -> None:  # fmt: skip
    """No data and a refusal are good ones; and it hears whether anybody was there."""
    onion = Onion(error, settings=FetchConfig(attempts=1))
    for _ in range(4):
        onion.breaker.failed(now(), "earlier", absent=not absent)
    asyncio.get_running_loop().call_later(1.1, onion.gate.drain)
    with contextlib.suppress(Draining, NotConnected):
        await onion.fetcher.fetch(errand())
    assert (onion.breaker._failures, onion.breaker.absent) == (failures, absent)


@in_virtual_time
async def test_a_whole_body_that_is_no_answer_is_no_success() -> None:
    """A header and nothing else comes whole; only what has been weighed ends an outage, or begins none."""
    onion = Onion(settings=FetchConfig(attempts=1))
    onion.steps[0, "weigh"] = onion.steps[1, "weigh"] = BadAnswer("header only", kind="empty-body")
    for number in range(1, 3):
        await onion.fetcher.fetch(errand())
        assert onion.breaker._failures == number
    await onion.fetcher.fetch(errand())
    assert onion.breaker._failures == 0


@in_virtual_time
async def test_the_first_bytes_after_an_outage_open_the_gate() -> None:
    """The others need not wait until the day is there."""
    onion = Onion()
    for _ in range(5):
        onion.breaker.failed(now(), "nobody there")
    onion.client.seconds = 50.0
    others = [asyncio.ensure_future(onion.fetcher.fetch(errand())) for _ in range(3)]
    await asyncio.sleep(60.0)
    assert onion.client.asked_at == [1.0, 51.0, 51.0]
    await asyncio.gather(*others)


@in_virtual_time
async def test_an_outage_costs_no_day() -> None:
    """Eleven hours without anybody there: a small question now and then, all wait, and none has failed."""
    onion = Onion(NOBODY)
    onion.client.seconds, onion.wrong = 0.01, "nobody is there"
    fetching = [asyncio.ensure_future(onion.fetcher.fetch(errand())) for _ in range(6)]
    await asyncio.sleep(11 * 3600)
    assert not any(one.done() for one in fetching)
    assert len(onion.client.asked_at) < 12
    assert len(onion.looked_at) < 11 * 3600 / 30 + 20
    onion.client.answers, onion.wrong = (None,), ""
    outcomes = await asyncio.gather(*fetching)
    assert all(isinstance(outcome, Saved) for outcome in outcomes)
    assert now() < 11 * 3600 + 100


@pytest.mark.parametrize(
    "error", [TerminalAnswer(500, ""), TerminalAnswer(429, ""), CUT, STALLED, HTML, NOBODY], ids=str
)
@in_virtual_time
async def test_an_hour_of_nothing_but_failures_is_few_requests(error: Exception) -> None:
    """Even if somebody says all the time that all is well, and there is always another day to ask for."""
    onion = Onion(error)
    onion.client.seconds = 0.01

    async def one_after_the_other() -> None:
        while True:
            await onion.fetcher.fetch(errand())

    workers = [asyncio.ensure_future(one_after_the_other()) for _ in range(24)]
    await asyncio.sleep(3_600)
    assert 10 < len(onion.client.asked_at) <= 30
    for worker in workers:
        worker.cancel()


@in_virtual_time
async def test_a_retry_after_holds_back_everybody_when_refusals_are_all_that_comes() -> None:
    """Five of them, and nobody asks for two minutes."""
    onion = Onion(TerminalAnswer(429, "", retry_after="120"))
    onion.client.seconds = 0.01
    fetching = [asyncio.ensure_future(onion.fetcher.fetch(errand())) for _ in range(8)]
    await asyncio.sleep(119)
    assert len(onion.client.asked_at) <= 8
    await asyncio.sleep(10)
    assert len(onion.client.asked_at) == 9
    for one in fetching:
        one.cancel()


@in_virtual_time
async def test_a_day_at_which_the_terminal_falls_over_is_not_asked_for_ever() -> None:
    """Its request was sent, and the connection dropped: that is about the day, and costs attempts, fewer of them while
    nobody is there at all."""
    onion = Onion(DROPPED, NOBODY, DROPPED, NOBODY, NOBODY, DROPPED, NOBODY, DROPPED)
    outcome = await onion.fetcher.fetch(errand())
    assert isinstance(outcome, Failed)
    assert outcome.kind == "dropped"
    assert len(onion.client.asked_at) == 6
