"""`thetabulk mirror DIR`: a second copy, verified on both sides."""

from pathlib import Path
from typing import Annotated

import typer

from thetabulk.cli import output
from thetabulk.cli.options import ConfigOption, JsonOption, QuietOption, StoreOption, VerboseOption, common, resolve


def command(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="The copy: a folder on a second drive.")],
    store: StoreOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Copy a store to a second drive, verified on both sides."""
    from thetabulk.assembly import mirrors, stores
    from thetabulk.report.sentences import days_of
    from thetabulk.report.units import size

    resolved = resolve(config, common(store, json, quiet, verbose))
    path, note = stores.locate(resolved)
    output.remark([note] if note else [], quiet=quiet)
    done = mirrors.mirror(path, target.expanduser(), resolved.config.store, lambda text: None)
    damaged = [{**_names(shard), "problem": problem} for shard, problem in done.damaged]
    if json:
        output.tell_json({"copied": done.copied, "bytes": done.bytes, "kept": done.kept, "damaged": damaged})
    else:
        output.tell([f"{days_of(done.copied)} copied ({size(done.bytes)}), {done.kept} were there already"])
        names = ((f"{one['symbol']} {one['dataset']} {one['day']}", one["problem"]) for one in damaged)
        output.tell(f"damaged, not copied: {name}: {problem}" for name, problem in names)
    return 10 if damaged else 0


def _names(shard) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {"dataset": shard.collection.dataset, "symbol": shard.symbol, "day": shard.day.isoformat()}
