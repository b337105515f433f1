"""The options that commands share, and how a command comes to its settings.

Every option's default is "not said" (None or False): what then counts is decided by config.load alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from thetabulk import config
from thetabulk.config import Resolved

StoreOption = Annotated[
    Path | None, typer.Option("--store", metavar="DIR", help="The folder of the store. Else: the one used last.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A config file (TOML).")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON to stdout.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Only errors and the last word.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Every event, and tracebacks.")]
UrlOption = Annotated[str | None, typer.Option("--url", metavar="URL", help="Where the Theta Terminal listens.")]
AllowRemoteOption = Annotated[bool, typer.Option("--allow-remote", help="Ask a Terminal that is not on this machine.")]
TierOption = Annotated[
    str | None, typer.Option("--tier", metavar="T", help="The subscription: standard, or option=standard,stock=free.")
]
WorkersOption = Annotated[str | None, typer.Option("--workers", metavar="N|MIN-MAX", help="Requests in flight.")]
ManageOption = Annotated[
    bool, typer.Option("--manage-terminal", help="Start a Terminal for the run, if none answers; keep it in service.")
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait for a missing drive, a full disk, an absent Terminal.")]

SeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Simulator: another market.")]
SizeOption = Annotated[
    str | None, typer.Option("--size", metavar="small|real", help="Simulator: a few dozen contracts, or thousands.")
]
LineFormatOption = Annotated[
    str | None, typer.Option("--line-format", metavar="live|spec", help="Simulator: how lines are printed.")
]
ScenarioOption = Annotated[
    Path | None, typer.Option("--scenario", metavar="FILE", help="Simulator: faults from a TOML file.")
]
ProfileOption = Annotated[
    Path | None,
    typer.Option("--profile", metavar="FILE", help="Simulator: serve as a vendor profile says (doctor --probe)."),
]
FaultsOption = Annotated[
    str | None,
    typer.Option("--faults", metavar="SPEC", help="Simulator: faults on cue, such as 'cut:p=0.05;478:after=9'."),
]


def common(store: Path | None, json: bool, quiet: bool, verbose: bool) -> dict[str, object]:
    """The flags that every command has, under their settings' names."""
    return {"store.path": store, "screen.json": json, "screen.quiet": quiet, "screen.verbose": verbose}


def resolve(file: Path | None, flags: Mapping[str, object]) -> Resolved:
    """Settings from these flags (dotted name -> value, None and False: not said), environment, file and defaults.

    Raises UsageError with every problem at once.
    """
    env = config.environment()
    said = {name: str(value) if isinstance(value, Path) else value for name, value in flags.items()}
    return config.load(config.find_file(file, env), env, said)
