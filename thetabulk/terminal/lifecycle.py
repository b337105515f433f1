"""Health and time -> nothing, another try, or giving up: the restart policy, by cause. Pure: seconds, chance and
what has happened come in, a decision goes out. Figures and reasons: reliability.md §5, the post-mortem incidents.md §1.

A Terminal that answers anything is alive and is left alone, whatever it answers (429, 474, 571): nothing here is asked
then. What comes here has exited, hangs, or is of no use because somebody else holds the account's session.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thetabulk.terminal.causes import Cause

ACCOUNT = frozenset({Cause.CREDENTIALS, Cause.SESSION})
"""What only the account's owner can mend: exit code 7 when it is given up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient to be; all in seconds, or a number of restarts."""

    backoff_first_s: float = 2.0
    backoff_max_s: float = 60.0
    few: int = 3
    few_s: float = 600.0
    most: int = 10
    most_s: float = 86_400.0
    stable_s: float = 60.0
    session_s: float = 600.0
    session_max_s: float = 3_600.0
    quiet_s: float = 130.0


@dataclass(frozen=True, slots=True)
class Past:
    """`restarts`: when a start was made after the first one, the oldest first. `causes`: the ends since the last calm
    spell, the newest last. `memory_at`: when memory ran out last."""

    restarts: tuple[float, ...] = ()
    causes: tuple[Cause, ...] = ()
    memory_at: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Another try after `wait_s`; or, if `final`, none. `why` is for a person."""

    wait_s: float
    why: str
    final: bool = False


def ended(past: Past, *, calm_s: float, limits: Limits) -> Past:
    """A life is over that was connected for the last `calm_s` seconds: only a calm spell makes failures forgotten.
    The restarts themselves are not: the limits in time count them all."""
    return replace(past, causes=()) if calm_s >= limits.stable_s else past


def blamed(past: Past, cause: Cause, now: float) -> Past:
    """The past with one more end in it; after `decide`, which counts the ones before."""
    return replace(past, causes=(*past.causes, cause), memory_at=now if cause is Cause.MEMORY else past.memory_at)


def started(past: Past, now: float, limits: Limits) -> Past:
    """The past with one more restart in it; what is older than any limit looks back is dropped."""
    return replace(past, restarts=(*(at for at in past.restarts if now - at < limits.most_s), now))


def decide(past: Past, cause: Cause, *, now: float, chance: float, limits: Limits) -> Decision:
    """What to do about a life that ended by `cause`. `chance` is a random number from 0 to 1 (full jitter)."""
    if final := _final(past, cause, now, limits):
        return Decision(0.0, final, final=True)
    wait_s, why = _cooldown(past, cause, chance, limits)
    room_in_s = crowded_s(past, now=now, limits=limits)
    if room_in_s > wait_s:
        return Decision(room_in_s, f"{limits.few} restarts within {limits.few_s / 60:g} minutes are the most")
    return Decision(wait_s, why)


def crowded_s(past: Past, *, now: float, limits: Limits) -> float:
    """How long until one more restart is not one too many within `few_s`."""
    if len(past.restarts) < limits.few:
        return 0.0
    return max(0.0, past.restarts[-limits.few] + limits.few_s - now)


def may_restart(past: Past, *, now: float, limits: Limits) -> bool:
    """Whether a restart that is only wished for has room in both limits, with one left for a need."""
    recent = [at for at in past.restarts if now - at < limits.few_s]
    return len(recent) + 1 < limits.few and _within(past, now, limits) + 1 < limits.most


def _final(past: Past, cause: Cause, now: float, limits: Limits) -> str:
    if cause is Cause.CREDENTIALS:
        return "the vendor refuses the credentials; another login with them could lock the account"
    if cause is Cause.MEMORY and past.memory_at is not None and now - past.memory_at < limits.most_s:
        return "it ran out of memory again: -Xmx is too small, or larger than what the machine has"
    if cause is Cause.PORT and past.causes[-1:] == (Cause.PORT,):
        return "the port was taken again when it was tried once more"
    if _within(past, now, limits) >= limits.most:
        return f"{limits.most} restarts within {limits.most_s / 3_600:g} hours have not helped"
    return ""


def _cooldown(past: Past, cause: Cause, chance: float, limits: Limits) -> tuple[float, str]:
    if cause is Cause.SESSION:
        tries = _in_a_row(past.causes, cause)
        wait_s = min(max(limits.session_max_s, limits.session_s), limits.session_s * 2**tries)
        return wait_s, "the vendor frees a session in 5 to 15 minutes; one try then"
    if cause is Cause.RATE:
        return limits.quiet_s, "the vendor asks for quiet"
    if cause in (Cause.PORT, Cause.ASKED):
        return 0.0, "one try when the port is free" if cause is Cause.PORT else "as asked"
    longest_s = min(limits.backoff_max_s, limits.backoff_first_s * 2.0 ** min(len(past.causes), 30))
    return chance * longest_s, "a random wait, longer with every failure"


def _within(past: Past, now: float, limits: Limits) -> int:
    return sum(now - at < limits.most_s for at in past.restarts)


def _in_a_row(causes: Sequence[Cause], cause: Cause) -> int:
    """How many of the newest are this cause."""
    count = 0
    for each in reversed(causes):
        if each is not cause:
            break
        count += 1
    return count
