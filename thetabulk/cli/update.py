"""`thetabulk update`: every collection of a store up to the last settled day."""

from typing import Annotated

import typer

from thetabulk.cli.options import (
    AllowRemoteOption,
    ConfigOption,
    JsonOption,
    ManageOption,
    QuietOption,
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
    store: StoreOption = None,
    tier: TierOption = None,
    workers: WorkersOption = None,
    url: UrlOption = None,
    allow_remote: AllowRemoteOption = False,
    wait: WaitOption = False,
    manage: ManageOption = False,
    max_duration: Annotated[
        str | None, typer.Option("--max-duration", metavar="T", help="Stop after 90m, 2h, …")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="HH:MM", help="Stop at this time of day.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 also if days lack full proof.")] = False,
    simulate: Annotated[bool, typer.Option("--simulate", help="Against the built-in simulator.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Bring every collection of a store up to the last settled day.

    What is unfinished is gone on with.
    """
    flags = common(store, json, quiet, verbose) | {
        "terminal.tier": tier,
        "terminal.url": url,
        "terminal.allow_remote": allow_remote,
        "terminal.wait": wait,
        "terminal.manage": manage,
        "fetch.workers": workers,
        "run.max_duration_s": max_duration,
        "run.until": until,
        "run.strict": strict,
    }
    resolved = resolve(config, flags)
    simulator = simulator_arguments(simulate, {}, resolved.config.terminal.tier)
    return run_with_screen(resolved, command="update", simulator=simulator)
