"""`thetabulk simulate`: the stand-in for the Theta Terminal, in the foreground, until Ctrl-C."""

from typing import Annotated

import typer

from thetabulk.cli.options import (
    FaultsOption,
    LineFormatOption,
    ProfileOption,
    ScenarioOption,
    SeedOption,
    SizeOption,
    TierOption,
)
from thetabulk.cli.runs import simulator_arguments
from thetabulk.config import parse_tiers
from thetabulk.errors import UsageError


def command(
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=0, max=65_535, help="25503, as the Terminal; 0: any free one."),
    ] = None,
    tier: TierOption = None,
    seed: SeedOption = None,
    size: SizeOption = None,
    line_format: LineFormatOption = None,
    floor_answer: Annotated[
        int | None, typer.Option("--floor-answer", metavar="403|472", help="What days before the data begin get.")
    ] = None,
    scenario: ScenarioOption = None,
    profile: ProfileOption = None,
    faults: FaultsOption = None,
) -> int:
    """Run the stand-in for the Theta Terminal: no account, no Java."""
    try:
        parse_tiers(tier or "")
    except ValueError as error:
        raise UsageError(f"--tier {tier}: {error}") from error
    said = {
        "--port": port,
        "--seed": seed,
        "--size": size,
        "--line-format": line_format,
        "--floor-answer": floor_answer,
        "--scenario": scenario,
        "--profile": profile,
        "--faults": faults,
    }
    arguments = simulator_arguments(True, said, tier or "")
    from thetabulk.assembly.simulation import run_simulator

    return run_simulator(arguments or ())
