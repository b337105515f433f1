"""`thetabulk export`: the vendor's CSV back out of the store, byte for byte."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from thetabulk.cli import output
from thetabulk.cli.options import ConfigOption, JsonOption, QuietOption, StoreOption, VerboseOption, common, resolve
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
from thetabulk.errors import UsageError

_NOT_ALL_SAVED = 3
_GAPS_SHOWN = 20
_EVER = ("2000-01-01", "9999-12-31")  # where a range is open; what a config file says is about downloads


def command(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="The underlying symbol.")],
    day: Annotated[str | None, typer.Option("--day", metavar="DATE", help="One day.")] = None,
    first: FirstOption = None,
    last: LastOption = None,
    dataset: DatasetOption = None,
    interval: IntervalOption = None,
    max_dte: MaxDteOption = None,
    strike_range: StrikeRangeOption = None,
    right: RightOption = None,
    target: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE|DIR", help="A file for one day, a folder for a range."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    store: StoreOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Give the vendor's CSV back, byte for byte.

    One day (--day) goes to stdout, or into the file of -o. A range (--from, --to) goes into the folder of -o, one file
    a day, named SYMBOL-DATE.csv; or to stdout, one day after the other, where the header is not repeated as long as it
    stays the same. What is handed out is compared with what was received.

    Exit codes: 0; 2 if the day is not saved; 3 if days of a range are neither saved nor empty; 10 if a file is damaged.
    """
    if json and target is None:
        raise UsageError("--json needs -o: without it stdout is for the data")
    if day and (first or last):
        raise UsageError("--day is one day, --from and --to are a range; choose")
    if not (day or first or last):
        raise UsageError("which day?", hint=f"for example: thetabulk export {symbol} --day 2024-08-02")
    flags = common(store, json, quiet, verbose) | collection_flags(dataset, interval, max_dte, strike_range, right)
    flags |= {"job.symbols": (symbol,), "job.from": day or first or _EVER[0], "job.to": day or last or _EVER[1]}
    resolved = resolve(config, flags)
    from thetabulk.assembly import exports

    job, into = resolved.config.job, target.expanduser() if target else None
    order = exports.Order(target=into, force=force)
    if day:
        order = replace(order, day=job.first)
    else:
        order = replace(order, first=job.first if first else None, last=job.last if last else None)
    done = exports.export(resolved, order, sys.stdout.buffer.write)
    sys.stdout.buffer.flush()
    output.remark(done.notes, quiet=quiet)
    if json:
        output.tell_json({"files": done.files, "not_saved": done.gaps})
    else:
        output.remark([f"{entry['file']}: {entry['bytes']} bytes" for entry in done.files], quiet=quiet)
    hidden = len(done.gaps) - _GAPS_SHOWN
    output.remark([*done.gaps[:_GAPS_SHOWN], *([f"and {hidden} more"] if hidden > 0 else [])])
    return _NOT_ALL_SAVED if done.gaps else 0
