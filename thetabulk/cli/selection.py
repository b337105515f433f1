"""The options that say which days of which collection, as `plan`, `export` and `accept` take them."""

from typing import Annotated

import typer

FirstOption = Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day.")]
LastOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day.")]
DatasetOption = Annotated[
    str | None,
    typer.Option("--dataset", metavar="NAME", help="option/quote (default), option/open_interest, option/eod."),
]
IntervalOption = Annotated[
    str | None, typer.Option("--interval", metavar="T", help="Of quotes: 1m (default), 5m, … 1h.")
]
MaxDteOption = Annotated[
    int | None, typer.Option("--max-dte", metavar="N", help="Only contracts that expire within N days.")
]
StrikeRangeOption = Annotated[
    int | None, typer.Option("--strike-range", metavar="N", help="Only N strikes above and below the price.")
]
RightOption = Annotated[str | None, typer.Option("--right", metavar="R", help="call, put or both (default).")]


def collection_flags(
    dataset: str | None, interval: str | None, max_dte: int | None, strike_range: int | None, right: str | None
) -> dict[str, object]:
    """These options under their settings' names."""
    return {
        "job.dataset": dataset,
        "job.interval": interval,
        "job.max_dte": max_dte,
        "job.strike_range": strike_range,
        "job.right": right,
    }
