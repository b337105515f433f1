"""`thetabulk service print`: a service that keeps a store up to date, as text; nothing is installed."""

import sys
from datetime import time
from pathlib import Path
from typing import Annotated

import typer

from thetabulk.cli.options import ConfigOption, StoreOption, resolve
from thetabulk.config import Resolved
from thetabulk.errors import UsageError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
_BY_SYSTEM = {"linux": "systemd", "darwin": "launchd", "win32": "task-scheduler"}


@app.callback()
def service() -> None:
    """Keep a store up to date without anybody at the keyboard."""


@app.command("print")
def print_service(
    manager: Annotated[
        str | None,
        typer.Argument(metavar="[systemd|launchd|task-scheduler]", help="Who runs it. Else: this system's."),
    ] = None,
    store: StoreOption = None,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="The local time of day.")] = "08:30",
    manage_terminal: Annotated[
        bool, typer.Option("--manage-terminal", help="The service starts and stops the Theta Terminal, too.")
    ] = False,
    timer: Annotated[bool, typer.Option("--timer", help="systemd: the timer instead of the service.")] = False,
    config: ConfigOption = None,
) -> int:
    """Print a service that runs `thetabulk update` once a day.

    The text goes to stdout; what to do with it to stderr.
    """
    from thetabulk.report import services

    wanted = manager or _BY_SYSTEM.get(sys.platform, "systemd")
    if wanted not in services.MANAGERS:
        raise UsageError(
            f"{wanted!r} runs no services that are known here", hint=f"one of {', '.join(services.MANAGERS)}"
        )
    if timer and wanted != "systemd":
        raise UsageError(f"{wanted} has no timers of its own", hint="--timer is for systemd")
    resolved = resolve(config, {"store.path": store})
    described = services.Service(
        _command(resolved, config, manage_terminal=manage_terminal), _time_of_day(at), resolved.config.run.drain_s,
        Path.home() / "Library" / "Logs" / "thetabulk.log",
    )  # fmt: skip
    texts = {
        "systemd": services.systemd_timer if timer else services.systemd_service,
        "launchd": services.launchd,
        "task-scheduler": services.task,
    }
    typer.echo(texts[wanted](described), nl=False)
    if not timer:
        typer.echo(services.HOW[wanted], err=True)
    return 0


def _command(resolved: Resolved, config: Path | None, *, manage_terminal: bool) -> list[str]:
    """The program with absolute paths: a service starts in another folder and without this shell's environment."""
    from thetabulk.assembly import stores

    path, note = stores.locate(resolved)
    if note:
        typer.echo(note, err=True)
    words = [str(_program()), "update", "--wait", "--store", str(path.absolute())]
    if config is not None:
        words += ["--config", str(config.absolute())]
    if manage_terminal:
        words.append("--manage-terminal")
    for word in words:
        if not word.isprintable():
            raise UsageError(f"{word!r} has characters that no service can hold", hint="rename the folder")
    return words


def _program() -> Path:
    """The command that was installed beside this interpreter."""
    found = Path(sys.executable).with_name("thetabulk.exe" if sys.platform == "win32" else "thetabulk")
    if not found.exists():
        raise UsageError(f"{found} does not exist", hint="install thetabulk (pipx, uv tool), then print the service")
    return found


def _time_of_day(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no time of day", hint="for example --at 08:30") from error
