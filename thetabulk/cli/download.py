"""`thetabulk download`: flags -> settings -> a run -> exit code."""

from typing import Annotated

import typer

from thetabulk.cli.options import (
    AllowRemoteOption,
    ConfigOption,
    FaultsOption,
    JsonOption,
    LineFormatOption,
    ManageOption,
    ProfileOption,
    QuietOption,
    ScenarioOption,
    SeedOption,
    SizeOption,
    StoreOption,
    TierOption,
    UrlOption,
    VerboseOption,
    WaitOption,
    WorkersOption,
    common,
    resolve,
)
from thetabulk.cli.runs import run_with_screen, simulator_arguments


def command(
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]…", help="Underlying symbols.")] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="The first day. Else: the first that the subscription serves."),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="The last day. Else: the last settled session.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="option/quote (default), option/open_interest, option/eod."),
    ] = None,
    interval: Annotated[str | None, typer.Option("--interval", metavar="T", help="1m (default), 5m, … 1h.")] = None,
    max_dte: Annotated[
        int | None, typer.Option("--max-dte", metavar="N", help="Only contracts that expire within N days.")
    ] = None,
    strike_range: Annotated[
        int | None, typer.Option("--strike-range", metavar="N", help="Only N strikes above and below the price.")
    ] = None,
    right: Annotated[str | None, typer.Option("--right", metavar="R", help="call, put or both (default).")] = None,
    store: StoreOption = None,
    file_format: Annotated[
        str | None, typer.Option("--format", metavar="F", help="Of a new store: parquet (default), csv, csv.zst.")
    ] = None,
    prices: Annotated[
        str | None, typer.Option("--prices", metavar="P", help="Of a new Parquet store: double (default), decimal.")
    ] = None,
    tier: TierOption = None,
    workers: WorkersOption = None,
    chunk_size: Annotated[
        int | None, typer.Option("--chunk-size", metavar="N", help="Look-ahead of the walk, in trading days.")
    ] = None,
    max_empty: Annotated[
        int | None,
        typer.Option(
            "--max-consecutive-empty",
            metavar="N",
            help="Empty days in a row before the beginning of the data is probed.",
        ),
    ] = None,
    url: UrlOption = None,
    allow_remote: AllowRemoteOption = False,
    wait: WaitOption = False,
    manage: ManageOption = False,
    max_duration: Annotated[
        str | None, typer.Option("--max-duration", metavar="T", help="Stop after 90m, 2h, …")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="HH:MM", help="Stop at this time of day.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 also if days lack full proof.")] = False,
    schema_drift: Annotated[
        str | None, typer.Option("--schema-drift", metavar="D", help="stop (default) or keep: allow appended columns.")
    ] = None,
    recheck: Annotated[bool, typer.Option("--recheck", help="Ask empty and refused days again.")] = False,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Against the built-in simulator; takes the options of `simulate` too.")
    ] = False,
    seed: SeedOption = None,
    size: SizeOption = None,
    line_format: LineFormatOption = None,
    scenario: ScenarioOption = None,
    profile: ProfileOption = None,
    faults: FaultsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a large download.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Bring days onto the drive, and prove that they are complete."""
    flags = common(store, json, quiet, verbose) | {
        "job.symbols": tuple(symbols or ()),
        "job.from": first,
        "job.to": last,
        "job.dataset": dataset,
        "job.interval": interval,
        "job.max_dte": max_dte,
        "job.strike_range": strike_range,
        "job.right": right,
        "store.format": file_format,
        "store.prices": prices,
        "terminal.tier": tier,
        "terminal.url": url,
        "terminal.allow_remote": allow_remote,
        "terminal.wait": wait,
        "terminal.manage": manage,
        "fetch.workers": workers,
        "run.chunk_size": chunk_size,
        "run.max_consecutive_empty": max_empty,
        "run.max_duration_s": max_duration,
        "run.until": until,
        "run.strict": strict,
        "run.schema_drift": schema_drift,
    }
    resolved = resolve(config, flags)
    said = {
        "--seed": seed,
        "--size": size,
        "--line-format": line_format,
        "--scenario": scenario,
        "--profile": profile,
        "--faults": faults,
    }
    simulator = simulator_arguments(simulate, said, resolved.config.terminal.tier)
    if dry_run:
        from thetabulk.cli.plan import show_plan

        return show_plan(resolved, simulated=simulate, recheck=recheck)
    return run_with_screen(resolved, command="download", simulator=simulator, recheck=recheck, confirm=not yes)
