"""`thetabulk status`: what a store holds and what is missing, also while a run is writing into it."""

from typing import Annotated

import typer

from thetabulk.cli import output
from thetabulk.cli.options import ConfigOption, JsonOption, QuietOption, StoreOption, VerboseOption, common, resolve

_STALE = 3


def command(
    gaps: Annotated[bool, typer.Option("--gaps", help="List every day that is not proven, and why.")] = False,
    max_age: Annotated[
        int | None,
        typer.Option("--max-age", metavar="DAYS", min=0, help="Exit 3 if a collection's newest saved day is older."),
    ] = None,
    store: StoreOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Say what a store holds, and what is missing.

    Works while a run is writing. Exit codes: 0, or 3 if --max-age days (of the calendar, in New York) are exceeded.
    """
    resolved = resolve(config, common(store, json, quiet, verbose))
    from thetabulk.assembly import statuses
    from thetabulk.report import tables, units

    found = statuses.read_status(resolved, gaps=gaps, max_age_days=max_age)
    screen = resolved.config.screen
    output.remark(found.notes, quiet=screen.quiet)
    if screen.json:
        output.tell_json(found.document())
    else:
        where = [("store", str(found.store["path"])), ("free", units.size(found.free_bytes))]
        output.tell([*tables.facts(where), "", *tables.status(found.collections)])
        if found.gaps is not None:
            output.tell(["", *tables.gaps(found.gaps)])
    output.remark(found.stale)
    return _STALE if found.stale else 0
