"""Events in words, each in one sentence for a person. Pure."""

from datetime import date
from functools import singledispatch

from thetabulk.events import (
    AttemptFailed,
    Blocked,
    BoundaryFound,
    BoundarySkipped,
    BreakerChanged,
    ChunkReached,
    DriveBusy,
    Event,
    Incident,
    LimitChanged,
    Notice,
    RoundStarted,
    RunStarted,
    ShardFinished,
    Stopping,
    TerminalStarted,
    TerminalStopped,
)
from thetabulk.model import Collection, Failed, Refused, Saved, Shard
from thetabulk.report.incident import ENDS, over
from thetabulk.report.units import duration, month, shorten
from thetabulk.wording import counted

SIMULATED = "SIMULATED"
_FRAMES = 3
"""So many of a stack's places are told: the innermost say where it was, the JSON has all."""


def days_of(number: int) -> str:
    """`1 day`, `2,012 days`."""
    return counted(number, "day")


def date_range(first: date, last: date) -> str:
    """`2016-08-04 … 2024-08-02`."""
    return f"{first} … {last}" if first != last else str(first)


def collections_text(collections: tuple[Collection, ...]) -> str:
    """`QQQ option/quote/1m`, or the symbols of several: `QQQ, SPY, IWM option/quote/1m`."""
    symbols = ", ".join(dict.fromkeys(each.symbol for each in collections))
    folders = ", ".join(dict.fromkeys(each.folder for each in collections))
    return f"{symbols} {folders}"


def shard_text(shard: Shard) -> str:
    """`QQQ 2023-04-12`: the dataset is said once, at the top."""
    return f"{shard.symbol} {shard.day}"


def title(run: RunStarted, width: int) -> str:
    """What is done: `download QQQ option/quote/1m · 2016-08-04 … 2024-08-02`."""
    dates = date_range(run.first, run.last)
    return f"{shorten(f'{run.command} {collections_text(run.collections)}', width - len(dates) - 3)} · {dates}"


def circumstances(run: RunStarted, limit: int | None, width: int) -> list[str]:
    """Where to, with which account, and how many at once: lines of at most `width`."""
    least, most = run.workers
    workers = f"{least}–{most}" if least != most else str(most)
    if limit is not None:
        workers = f"{limit} of {workers}"
    awake = " · keeping this machine awake" if run.kept_awake else ""
    tier = f"tier {run.tier}{' (assumed)' if run.tier_assumed else ''}"
    return [
        f"store {shorten(run.store, width - len(awake) - 6)}{awake}",
        shorten(f"{tier} · workers {workers} (account allows {run.account_allows})", width),
    ]


@singledispatch
def sentence(event: Event) -> str:
    """What is worth a line of its own, or "" for what the totals show."""
    return ""


@singledispatch
def is_warning(event: Event) -> bool:
    """Whether a person should see it even if they asked for quiet."""
    return False


@sentence.register
def _(event: ChunkReached) -> str:
    span = f"{month(event.newest)} … {month(event.oldest)}"
    return f"chunk {event.number}/{event.total} · {span}"


@sentence.register
def _(event: AttemptFailed) -> str:
    if event.last:
        return ""  # the day's outcome tells it
    wait = duration(event.wait_s)
    return f"{shard_text(event.shard)}: attempt {event.attempt} failed ({event.message}), again in {wait}"


@sentence.register
def _(event: ShardFinished) -> str:
    outcome = event.outcome
    where = shard_text(outcome.shard)
    match outcome:
        case Saved() if outcome.remarks:
            return f"{where} saved, with remarks: {'; '.join(outcome.remarks)}"
        case Refused():
            return f"{where} refused: {outcome.message}"
        case Failed():
            return f"{where} failed ({outcome.kind}): {outcome.message}"
        case _:
            return ""


@sentence.register
def _(event: LimitChanged) -> str:
    return f"up to {event.limit} at once now: {event.reason}"


@sentence.register
def _(event: DriveBusy) -> str:
    if event.over:
        return "the drive keeps up again"
    return f"the drive is what we wait for, not the line: it is busy {100 * event.share:.0f} % of the time"


@sentence.register
def _(event: BreakerChanged) -> str:
    if event.state == "closed":
        return "the connection is back"
    if event.state == "probing":
        return "asking whether the connection is back"
    return f"no requests for {duration(event.wait_s)}: {event.cause}"


@sentence.register
def _(event: BoundaryFound) -> str:
    boundary = event.boundary
    if boundary.day is None:
        return (
            f"{boundary.collection.symbol}: the {boundary.kind} boundary is no longer there, older days are asked again"
        )
    if boundary.kind == "tier":
        return f"{boundary.collection.symbol}: the subscription serves from {boundary.day}"
    return f"{boundary.collection.symbol}: the vendor's data begin {boundary.day}"


@sentence.register
def _(event: BoundarySkipped) -> str:
    day = event.boundary.day
    return f"{event.boundary.collection.symbol}: {days_of(event.days)} before {day} need not be asked"


@sentence.register
def _(event: RoundStarted) -> str:
    return f"round {event.number}: {days_of(event.days)} asked again"


@sentence.register
def _(event: Incident) -> str:
    return over(event) if event.state in ENDS else ""  # while it lasts, it has a block of its own


@sentence.register
def _(event: Stopping) -> str:
    if not event.in_flight:
        return f"stopping ({event.reason})"
    transfers = counted(event.in_flight, "transfer")
    return f"stopping ({event.reason}): finishing {transfers} in flight; Ctrl-C again stops now"


@sentence.register
def _(event: Blocked) -> str:
    return f"everything stood still for {duration(event.seconds)}, in {' > '.join(event.stack[-_FRAMES:])}"


@sentence.register
def _(event: Notice) -> str:
    return event.message


@is_warning.register
def _(event: Notice) -> bool:
    return event.level == "warning"


@is_warning.register(Incident | Stopping | Blocked)
def _(event: Incident | Stopping | Blocked) -> bool:
    return True


@is_warning.register
def _(event: ShardFinished) -> bool:
    return isinstance(event.outcome, Failed)


@sentence.register
def _(event: TerminalStarted) -> str:
    if event.ownership == "adopted":
        return ""  # a notice says whose it is
    account = ", ".join(f"{asset} {tier}" for asset, tier in event.tiers)
    again = f", {counted(event.restarts, 'restart')} lately" if event.restarts else ""
    took = f"the Terminal is connected after {duration(event.seconds)} (pid {event.pid}{again})"
    return f"{took}; the account has {account}" if account else took


@sentence.register
def _(event: TerminalStopped) -> str:
    hint = f" → {event.hint}" if event.hint else ""
    if event.next_s is None:
        return f"{event.message}; {event.why}{hint}"
    soon = f"again in {duration(event.next_s)}" if event.next_s else "again at once"
    return f"{event.message}; {soon} ({event.why}){hint}"


@is_warning.register
def _(event: TerminalStopped) -> bool:
    return event.cause != "asked"
