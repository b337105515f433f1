"""`thetabulk resume`: goes on with every unfinished job of the store."""

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
    failed_only: Annotated[bool, typer.Option("--failed-only", help="Only the days that failed.")] = False,
    recheck: Annotated[bool, typer.Option("--recheck", help="Ask empty and refused days again.")] = False,
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
    simulate: Annotated[bool, typer.Option("--simulate", help="Against the built-in simulator.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Go on with every unfinished job of a store."""
    flags = common(store, json, quiet, verbose) | {
        "terminal.tier": tier,
        "terminal.url": url,
        "terminal.allow_remote": allow_remote,
        "terminal.wait": wait,
        "terminal.manage": manage,
        "fetch.workers": workers,
        "run.max_duration_s": max_duration,
        "run.until": until,
    }
    resolved = resolve(config, flags)
    simulator = simulator_arguments(simulate, {}, resolved.config.terminal.tier)
    return run_with_screen(resolved, command="resume", simulator=simulator, failed_only=failed_only, recheck=recheck)
