"""The last word of a run: days by outcome, proven or not, bytes, time, what it means and what to type next. Pure."""

from thetabulk.report import tables
from thetabulk.report.sentences import SIMULATED, days_of
from thetabulk.report.tally import Tally
from thetabulk.report.units import count, duration, rate, size
from thetabulk.wording import counted

_MEANING = {
    0: "complete",
    1: "ended by an internal error, or because we asked wrongly",
    2: "ended: something in the command or a config file is wrong",
    3: "finished, but days failed",
    4: "ended: the drive is gone, or it is another store",
    5: "ended: the disk is full",
    6: "ended: no permission to write, or the drive is read-only",
    7: "ended: the account's login, subscription or session",
    8: "ended: the Terminal is not available",
    9: "ended: another run holds the store",
    10: "finished, with damage that is not repaired",
    11: "stopped as asked",
    129: "stopped: the terminal window was closed",
    130: "stopped by Ctrl-C",
    143: "stopped by a signal",
}
_NEXT = {
    0: ("thetabulk verify", "checks every file again"),
    3: ("thetabulk resume", "asks the failed days again; `thetabulk status --gaps` tells which and why"),
    4: ("thetabulk resume", "once the drive is back"),
    5: ("thetabulk resume", "once there is room"),
    6: ("thetabulk resume", "once the folder can be written"),
    8: ("thetabulk resume", "once the Theta Terminal runs"),
    10: ("thetabulk verify --repair", "fetches damaged days again"),
    11: ("thetabulk resume", "goes on"),
    129: ("thetabulk resume", "goes on"),
    130: ("thetabulk resume", "goes on"),
    143: ("thetabulk resume", "goes on"),
}


def meaning(exit_code: int) -> str:
    """What an exit code says, in words."""
    return _MEANING.get(exit_code, f"ended with exit code {exit_code}")


def lines(tally: Tally, now: float, width: int = 80) -> list[str]:
    """The summary, at most `width` wide. The tally's RunFinished gives exit code and collections."""
    finished = tally.finished
    if finished is None:
        return []
    told = ["", f"{meaning(finished.exit_code)} (exit code {finished.exit_code})"]
    told += [f"  {line}" for line in tables.facts(_facts(tally, now))]
    if finished.collections:
        told += ["", *tables.status(finished.collections, width)]
    if tally.run and tally.run.source == "simulator":
        told += ["", f"{SIMULATED}: these data come from the built-in simulator, not from the market"]
    if finished.exit_code in _NEXT:
        command, why = _NEXT[finished.exit_code]
        told += ["", f"next: {command}", f"      {why}"]
    return told


def _facts(tally: Tally, now: float) -> list[tuple[str, str]]:
    days = tally.days()
    ends = " · ".join(f"{count(days[kind])} {kind}" for kind in ("saved", "empty", "refused", "failed") if days[kind])
    found = [("this run", ends or "no day was asked for")]
    unrecorded = tally.finished.run.get("unrecorded", 0) if tally.finished else 0
    if isinstance(unrecorded, int) and unrecorded:
        found.append(("", f"{counted(unrecorded, 'refused day', 'is', 'are')} not recorded: asked for again"))
    if tally.run and tally.run.done:
        found.append(("before", f"{days_of(tally.run.done)} done"))
    if tally.beyond:
        found.append(("boundary", f"{days_of(tally.beyond)} lie before the data begin"))
    if days["left"]:
        found.append(("not reached", days_of(days["left"])))
    if days["saved"]:
        missing = days["saved"] - tally.proven
        found.append(("proven", f"{count(tally.proven)} of {count(days['saved'])}{' saved' if missing else ', all'}"))
        found.append(("written", f"{size(tally.stored_bytes)}, from {size(tally.vendor_bytes)} of answers"))
    elapsed = tally.elapsed_s(now)
    speed = f" · {rate(tally.vendor_bytes / elapsed)}" if elapsed >= 1 and tally.vendor_bytes else ""
    paused = f" · paused {duration(tally.paused_s)}" if tally.paused_s >= 1 else ""
    return [*found, ("time", f"{duration(elapsed)}{speed}{paused}")]
