"""`thetabulk plan`: what `download` would do, without doing it; needs neither a Terminal nor a store."""

from typing import Annotated

import typer

from thetabulk.cli import output
from thetabulk.cli.options import (
    ConfigOption,
    JsonOption,
    QuietOption,
    StoreOption,
    TierOption,
    VerboseOption,
    WorkersOption,
    common,
    resolve,
)
from thetabulk.cli.selection import (
    DatasetOption,
    FirstOption,
    IntervalOption,
    LastOption,
    MaxDteOption,
    RightOption,
    StrikeRangeOption,
    collection_flags,
)
from thetabulk.config import Resolved


def command(
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]…", help="Underlying symbols.")] = None,
    first: FirstOption = None,
    last: LastOption = None,
    dataset: DatasetOption = None,
    interval: IntervalOption = None,
    max_dte: MaxDteOption = None,
    strike_range: StrikeRangeOption = None,
    right: RightOption = None,
    store: StoreOption = None,
    file_format: Annotated[
        str | None, typer.Option("--format", metavar="F", help="Of a new store: parquet (default), csv, csv.zst.")
    ] = None,
    prices: Annotated[
        str | None, typer.Option("--prices", metavar="P", help="Of a new Parquet store: double (default), decimal.")
    ] = None,
    tier: TierOption = None,
    workers: WorkersOption = None,
    recheck: Annotated[bool, typer.Option("--recheck", help="Ask empty and refused days again.")] = False,
    simulate: Annotated[bool, typer.Option("--simulate", help="Of a download from the built-in simulator.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Say what a download would do: days, requests, bytes, hours.

    And whether there is room for it. Nothing is asked of the Terminal. The ranges come from days already saved (eight
    or more), else from published sizes; where there is neither, no number is given.
    """
    flags = common(store, json, quiet, verbose) | collection_flags(dataset, interval, max_dte, strike_range, right)
    flags |= {"job.symbols": tuple(symbols or ()), "job.from": first, "job.to": last}
    flags |= {"store.format": file_format, "store.prices": prices, "terminal.tier": tier, "fetch.workers": workers}
    return show_plan(resolve(config, flags), simulated=simulate, recheck=recheck)


def show_plan(resolved: Resolved, *, simulated: bool = False, recheck: bool = False) -> int:
    """Tells the plan of these settings; also `download --dry-run`. Returns the exit code."""
    from thetabulk.assembly.plans import forecast
    from thetabulk.report import forecast as words
    from thetabulk.report.tables import facts

    found = forecast(resolved, simulated=simulated, recheck=recheck)
    screen = resolved.config.screen
    output.remark(found.notes, quiet=screen.quiet)
    if screen.json:
        output.tell_json(found.document())
        return 0
    where = f"{found.store or 'not said'}{'' if found.exists else ' (to be made)' if found.store else ''}"
    tier = f"{found.tier}{' (assumed)' if found.tier_assumed else ''}, {found.tier.requests} requests at once"
    output.tell([*facts([("store", where), ("tier", tier)]), "", *words.lines(found.rows), ""])
    low, high = (found.expected.low, found.expected.high) if found.expected else (None, None)
    output.tell(words.room(found.fits, low, high, found.free_bytes))
    return 0
