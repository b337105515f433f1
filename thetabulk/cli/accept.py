"""`thetabulk accept`: keep an incomplete answer that was put aside."""

from typing import Annotated

import typer

from thetabulk.cli import output
from thetabulk.cli.options import ConfigOption, JsonOption, QuietOption, StoreOption, VerboseOption, common, resolve
from thetabulk.cli.selection import (
    DatasetOption,
    IntervalOption,
    MaxDteOption,
    RightOption,
    StrikeRangeOption,
    collection_flags,
)


def command(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="The underlying symbol.")],
    day: Annotated[str, typer.Option("--day", metavar="DATE", help="The day.")],
    dataset: DatasetOption = None,
    interval: IntervalOption = None,
    max_dte: MaxDteOption = None,
    strike_range: StrikeRangeOption = None,
    right: RightOption = None,
    store: StoreOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Keep an incomplete answer that was put aside.

    The day then counts as saved, with proof `accepted`. The answer is looked at again first. `thetabulk status --gaps`
    lists what is kept aside, and why.
    """
    flags = common(store, json, quiet, verbose) | collection_flags(dataset, interval, max_dte, strike_range, right)
    resolved = resolve(config, flags | {"job.symbols": (symbol,), "job.from": day, "job.to": day})
    from thetabulk.assembly.acceptance import accept

    wanted = resolved.config.job.first
    assert wanted is not None
    saved, notes = accept(resolved, wanted)
    output.remark(notes, quiet=quiet)
    if json:
        shard = saved.shard
        output.tell_json(
            {"dataset": shard.collection.dataset, "selection": shard.collection.selection, "symbol": shard.symbol,
             "day": shard.day.isoformat(), "proof": saved.proof.value, "rows": saved.rows,
             "contracts": saved.contracts, "remarks": list(saved.remarks)}
        )  # fmt: skip
    else:
        output.tell([f"{saved.shard} is saved, accepted as it is", *(f"  {text}" for text in saved.remarks)])
    return 0
