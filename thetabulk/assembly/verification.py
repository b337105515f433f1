"""`verify`, from the settings to the report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from thetabulk.assembly import checks, clock, repairs, stores
from thetabulk.assembly.checked import Checked
from thetabulk.assembly.checks import Depth, Progress, Report
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.profiles import profile_in
from thetabulk.assembly.repairs import Fetch
from thetabulk.assembly.signals import first_heard
from thetabulk.assembly.stores import Store
from thetabulk.config import Resolved
from thetabulk.errors import ThetabulkError, worst
from thetabulk.model import Saved
from thetabulk.plan.calendar import Calendar
from thetabulk.store.layout import check_symbol

_DAYS_FAILED = 3


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is looked at: how deeply, of which symbols (none named: all), which share of the days by chance, and for how
    long (0: until all is done), the longest unseen first. `source` is a mirror to repair from."""

    depth: Depth = Depth.FULL
    symbols: tuple[str, ...] = ()
    percent: float = 100.0
    budget_s: float = 0.0
    repair: bool = False
    source: Path | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The report, the exit code, and what ended the run of a repair, if anything did."""

    report: Report
    exit_code: int
    error: ThetabulkError | None = None


def verify(
    resolved: Resolved, inquiry: Inquiry, progress: Progress, fetch: Fetch, *, simulated: bool = False
) -> Verdict:  # fmt: skip
    """Looks at the chosen store, and repairs it if that is wanted; only then is its lock taken.

    Raises the drive's errors, and UsageError for a symbol that the store does not know.
    """
    path, note = stores.locate(resolved, simulated=simulated)
    symbols = tuple(check_symbol(symbol) for symbol in inquiry.symbols)
    with stores.opened(path, resolved.config.store, write=inquiry.repair) as store:
        grids = Grids(Calendar.load(), profile_in(store))
        if inquiry.repair:
            stores.refuse_mirror(store.volume.root)
        days = checks.saved_days(store, symbols)
        if inquiry.percent < 100:
            days = checks.sampled(days, inquiry.percent)
        report = _check(store, days, inquiry, grids, symbols, progress)
        report.notes = [text for text in (note, *store.notes) if text]
        if report.signal or not inquiry.repair:
            return Verdict(report, report.exit_code(strict=inquiry.strict))
        done = repairs.mend(store, report, grids)
        if inquiry.source is not None:
            with stores.opened(inquiry.source, resolved.config.store, write=False, remember=False) as mirror:
                repairs.bring_from(mirror, store, done)
    code, error = 0, None
    try:
        code = repairs.fetch_again(_with_store(resolved, store.volume.root), done, fetch)
    except ThetabulkError as raised:
        code, error = raised.exit_code, raised
    with stores.opened(path, resolved.config.store, write=False) as store:
        report = repairs.look_again(store, report, done, inquiry.depth, grids)
    ended = code if code != _DAYS_FAILED else 0  # which days, and that they remain, is in the report
    return Verdict(report, worst((report.exit_code(strict=inquiry.strict), ended)), error)


def _check(
    store: Store, days: Sequence[Saved], inquiry: Inquiry, grids: Grids, symbols: tuple[str, ...], progress: Progress
) -> Report:
    """A slice, if there is a budget; a sample, which remembers nothing; or all of it, less what an interrupted one has
    found good. A signal ends each after the file of that moment."""
    remembered = Checked(store, inquiry.depth.name.lower(), " ".join(sorted(symbols)))
    started, is_slice = clock.monotonic(), inquiry.budget_s > 0
    is_all = not is_slice and inquiry.percent == 100
    chosen = remembered.longest_unseen_first(days) if is_slice else remembered.begin(days) if is_all else days
    report = None

    def looked_at(saved: Saved, kind: str) -> None:
        if (is_slice and kind in ("", "unproven")) or (is_all and not kind):
            remembered.note(saved)

    try:
        with first_heard() as signal:
            report = checks.check(
                store, chosen, inquiry.depth, grids, symbols=symbols, progress=progress, looked_at=looked_at,
                time_is_up=lambda: signal() > 0 or (is_slice and clock.monotonic() - started > inquiry.budget_s),
            )  # fmt: skip
            report.earlier, report.signal = len(days) - len(chosen), signal() if report.left else 0
        return report
    finally:
        if is_all and report and not report.left:
            remembered.end()
        elif is_all or is_slice:
            remembered.save()


def _with_store(resolved: Resolved, root: Path) -> Resolved:
    """The same settings, with the store said: the run that follows must not choose for itself."""
    config = replace(resolved.config, store=replace(resolved.config.store, path=str(root)))
    return replace(resolved, config=config)
