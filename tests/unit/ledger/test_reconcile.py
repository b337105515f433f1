import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ledger.days import ASKED, NOON, failed, outcomes, saved, shard
from thetabulk.ledger.reconcile import Action, FileFacts, after_hash, decide, reconcile
from thetabulk.model import Empty, Entry, Outcome, Refused, Saved

DAY = saved(1)
AS_RECORDED = FileFacts(DAY.bytes, DAY.mtime_ns)
TWO_SECONDS = 2_000_000_000


@pytest.mark.parametrize(
    ("facts", "action"),
    [
        (AS_RECORDED, Action.TRUST),
        (FileFacts(DAY.bytes, DAY.mtime_ns - TWO_SECONDS), Action.TRUST),  # FAT's grain
        (FileFacts(DAY.bytes, DAY.mtime_ns + TWO_SECONDS), Action.TRUST),
        (FileFacts(DAY.bytes, DAY.mtime_ns + TWO_SECONDS + 1), Action.HASH),
        (FileFacts(DAY.bytes, DAY.mtime_ns - 3600 * 10**9), Action.HASH),  # exFAT in another time zone
        (FileFacts(DAY.bytes - 1, DAY.mtime_ns), Action.QUARANTINE),
        (FileFacts(0, DAY.mtime_ns), Action.QUARANTINE),
        (None, Action.ASK_AGAIN),
    ],
)
def test_a_saved_day_is_believed_as_far_as_its_file_agrees(facts: FileFacts | None, action: Action) -> None:
    """The table of the start-up reconciliation, for a day that is recorded as saved."""
    assert decide(Entry(DAY, NOON), facts) is action


@pytest.mark.parametrize("outcome", [None, Empty(shard(1), ASKED), Refused(shard(1), ASKED, "no"), failed(1)])
def test_a_file_that_nobody_recorded_is_looked_at_never_deleted(outcome: Outcome | None) -> None:
    """The run may have died between the rename and the ledger's line."""
    entry = Entry(outcome, NOON) if outcome is not None else None
    assert decide(entry, AS_RECORDED) is Action.EXAMINE
    assert decide(entry, None) is Action.NOTHING


def test_the_hash_has_the_last_word_on_a_touched_file() -> None:
    """The same bytes: the record is mended. Others: aside with them."""
    assert after_hash(DAY, DAY.sha256) is Action.RESTAMP
    assert after_hash(DAY, "0" * 64) is Action.QUARANTINE


@given(
    st.none() | st.builds(Entry, outcomes, st.just(NOON)),
    st.none() | st.builds(FileFacts, st.integers(0, 2**60), st.integers(0, 2**60)),
)
def test_there_is_an_answer_to_everything(entry: Entry | None, facts: FileFacts | None) -> None:
    """And a missing file is never trusted, an unrecorded one never either."""
    action = decide(entry, facts)
    is_saved = entry is not None and isinstance(entry.outcome, Saved)
    if action in {Action.TRUST, Action.HASH, Action.QUARANTINE}:
        assert is_saved
        assert facts is not None
    if action is Action.ASK_AGAIN:
        assert is_saved
        assert facts is None


def store_of(recorded: int, missing: int) -> bool:
    days = [
        (shard(number), Entry(saved(number), NOON), None if number < missing else FileFacts(DAY.bytes, DAY.mtime_ns))
        for number in range(recorded)
    ]
    findings = reconcile(days)
    assert (findings.recorded, len(findings.with_action(Action.ASK_AGAIN))) == (recorded, missing)
    return findings.wrong_drive


@pytest.mark.parametrize(
    ("recorded", "missing", "wrong"),
    [
        (5000, 0, False),
        (5000, 50, False),
        (5000, 51, True),
        (20, 10, False),
        (20, 11, True),
        (11, 11, True),
        (0, 0, False),
    ],
)
def test_many_missing_files_ask_whether_it_is_the_right_drive(recorded: int, missing: int, wrong: bool) -> None:
    """Over one in a hundred, and more than a person deletes by hand."""
    assert store_of(recorded, missing) is wrong


def test_what_is_in_order_is_not_listed() -> None:
    """Only what has to be done or told."""
    findings = reconcile(
        [
            (shard(1), Entry(saved(1), NOON), AS_RECORDED),
            (shard(2), Entry(saved(2), NOON), None),
            (shard(3), None, AS_RECORDED),
            (shard(4), None, None),
        ]
    )
    assert findings.actions == {shard(2): Action.ASK_AGAIN, shard(3): Action.EXAMINE}
    assert findings.recorded == 2
