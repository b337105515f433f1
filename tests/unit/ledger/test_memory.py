import random
import time
from datetime import timedelta

from tests.unit.ledger.days import NOON, QQQ, failed, saved, shard
from thetabulk.ledger import payload
from thetabulk.ledger.memory import live_lines, load
from thetabulk.ledger.record import to_line
from thetabulk.model import Boundary, Entry, Job, Outcome


def day_line(seq: int, outcome: Outcome) -> bytes:
    return to_line("day", seq, NOON + timedelta(seconds=seq), payload.outcome_payload(outcome))


def ledger_of(count: int) -> bytes:
    return b"".join(day_line(seq, saved(seq)) for seq in range(1, count + 1))


def test_the_newest_record_of_a_day_counts() -> None:
    """Failed first, saved later, whatever the order on the drive."""
    lines = [day_line(1, failed(7)), day_line(2, saved(7))]
    for content in (b"".join(lines), b"".join(reversed(lines)), b"".join(lines + lines)):
        memory = load(content)
        assert memory.days == {shard(7): Entry(saved(7), NOON + timedelta(seconds=2), 2)}
        assert memory.last_seq == 2
    assert load(b"".join(reversed(lines))).out_of_order == 1
    assert load(b"".join(lines)).superseded == 1


def test_a_boundary_can_be_revoked() -> None:
    """A later record without a day takes it back, through compactions too."""
    known = Boundary(QQQ, "vendor", shard(0).day, ("20 empty days",))
    revoked = Boundary(QQQ, "vendor", None)
    first = to_line("boundary", 1, NOON, payload.boundary_payload(known))
    second = to_line("boundary", 2, NOON, payload.boundary_payload(revoked))
    assert load(first).boundaries == {(QQQ, known.kind): known}
    assert load(first + second).boundaries == {}
    assert load(live_lines(first + second, load(first + second))).boundaries == {}


def test_what_a_later_version_adds_is_kept() -> None:
    """A kind that we do not know is not ours to drop."""
    unknown = to_line("mirror", 1, NOON, {"place": "/media/second"})
    content = unknown + day_line(2, saved(1)) + day_line(3, saved(1))
    memory = load(content)
    assert memory.damaged == []
    assert live_lines(content, memory) == unknown + day_line(3, saved(1))


def test_jobs_profile_and_days_stand_side_by_side() -> None:
    """Each kind has its own keys."""
    job = Job("j1", (QQQ,), shard(0).day, shard(9).day)
    content = (
        to_line("job", 1, NOON, payload.job_payload(job))
        + to_line("profile", 2, NOON, {"grids": [391]})
        + to_line("profile", 3, NOON, {"grids": [391, 406]})
        + day_line(4, saved(1))
    )
    memory = load(content)
    assert (memory.jobs, memory.profile, len(memory.days)) == ({"j1": job}, {"grids": [391, 406]}, 1)
    assert (memory.lines, memory.superseded) == (4, 1)
    assert live_lines(content, memory).count(b'"kind":"profile"') == 1
    assert load(live_lines(content, memory)).profile == memory.profile


def test_a_job_of_an_earlier_version_is_read() -> None:
    """It said more: options that nobody set, and that it was not finished."""
    job = Job("j1", (QQQ,), shard(0).day, shard(9).day)
    line = to_line("job", 1, NOON, payload.job_payload(job) | {"options": {}, "finished": False})
    memory = load(line)
    assert (memory.jobs, memory.damaged) == ({"j1": job}, [])


def test_a_torn_tail_is_measured_and_does_not_count() -> None:
    """Wherever the last write was cut."""
    content = ledger_of(3)
    end = content[:-1].rfind(b"\n") + 1
    for length in range(end, len(content)):
        memory = load(content[:length])
        assert (len(memory.days), memory.good_bytes, memory.torn_bytes) == (2, end, length - end)
        assert memory.damaged == []


def test_a_bad_line_in_the_middle_is_set_aside_with_its_day() -> None:
    """What older lines say of that day counts no longer: the drive is asked. A newer line settles it."""
    content = day_line(1, failed(5)) + day_line(2, saved(5)).replace(b"full", b"fool") + day_line(3, saved(6))
    memory = load(content)
    assert list(memory.days) == [shard(6)]
    assert [(one.line, one.shard) for one in memory.damaged] == [(2, shard(5))]
    assert "fool" in memory.damaged[0].text
    assert load(live_lines(content, memory)).days == memory.days  # nor does a compaction bring them back
    memory = load(content + day_line(4, saved(5)))
    assert set(memory.days) == {shard(5), shard(6)}
    assert memory.damaged == []


def test_a_zeroed_page_costs_only_the_lines_under_it() -> None:
    """As a lost cluster leaves it."""
    content = bytearray(ledger_of(40))
    content[4096:8192] = bytes(4096)
    memory = load(bytes(content))
    hit = {seq for seq in range(1, 41) if b'"seq":%d,' % seq not in bytes(content)}
    assert len(hit) >= 4
    assert 40 - len(memory.days) <= len(hit) + 2
    assert all(entry.outcome == saved(entry.seq) for entry in memory.days.values())
    assert memory.damaged != []


def test_three_hundred_flipped_bits_bring_in_no_wrong_record() -> None:
    """One flip costs at most two records, and whatever is accepted is as it was written."""
    whole = ledger_of(50)
    dice = random.Random(4)
    for _ in range(300):
        content = bytearray(whole)
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        memory = load(bytes(content))
        assert all(entry.outcome == saved(entry.seq) for entry in memory.days.values())
        assert len(memory.days) >= 48
        assert len(memory.days) == 50 or memory.damaged or memory.torn_bytes


def test_any_heap_of_damage_is_survived() -> None:
    """Flips, cuts, doubled and missing stretches: never an exception, never a wrong record."""
    whole = ledger_of(12)
    dice = random.Random(5)
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            start, length = dice.randrange(len(content)), dice.randrange(1500)
            match dice.randrange(4):
                case 0:
                    del content[start : start + length]
                case 1:
                    content[start:start] = content[start : start + length]
                case 2:
                    content[start : start + length] = dice.randbytes(length)
                case _:
                    content[start] ^= 1 << dice.randrange(8)
        memory = load(bytes(content))
        assert all(entry.outcome == saved(entry.seq) for entry in memory.days.values())


def test_compacting_keeps_what_counts_byte_for_byte() -> None:
    """And loses damage and history, which the generation before still has."""
    content = day_line(1, failed(1)) + day_line(2, saved(2)) + b"damage\n" + day_line(3, saved(1)) + b"{torn"
    memory = load(content)
    kept = live_lines(content, memory)
    assert kept == day_line(2, saved(2)) + day_line(3, saved(1))
    assert load(kept).days == memory.days


def test_twenty_thousand_days_are_loaded_in_a_moment() -> None:
    """Eight symbols over ten years; every command begins with this."""
    content = ledger_of(20_000)
    began = time.process_time()
    memory = load(content)
    assert len(memory.days) == 20_000
    assert time.process_time() - began < 2.0  # 0.4 s on two cores of 2024; the margin is for a busy machine
