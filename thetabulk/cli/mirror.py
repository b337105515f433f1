"""`thetabulk mirror DIR`: a second copy, verified on both sides."""

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

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
    from thetabulk.report.units import size

    resolved = resolve(config, common(store, json, quiet, verbose))
    path, note = stores.locate(resolved)
    if note and not quiet:
        typer.echo(note, err=True)
    done = mirrors.mirror(path, target.expanduser(), resolved.config.store, lambda text: None)
    damaged = [{**_names(shard), "problem": problem} for shard, problem in done.damaged]
    if json:
        document = {"copied": done.copied, "bytes": done.bytes, "kept": done.kept, "damaged": damaged}
        typer.echo(json_text.dumps(document))
    else:
        typer.echo(f"{done.copied} days copied ({size(done.bytes)}), {done.kept} were there already")
        for entry in damaged:
            typer.echo(f"damaged, not copied: {entry['symbol']} {entry['dataset']} {entry['day']}: {entry['problem']}")
    return 10 if damaged else 0


def _names(shard) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {"dataset": shard.collection.dataset, "symbol": shard.symbol, "day": shard.day.isoformat()}
