"""The command line: a table of commands, and the one place where errors become messages and exit codes.

Each command is a file of this folder with a function `command` (or, if it has commands of its own, a Typer `app`).
Only the one that was typed is imported: `thetabulk --help` shall be there at once, however much the others need.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any

import typer

from thetabulk import __version__
from thetabulk.cli import failure
from thetabulk.errors import ThetabulkError, worst

COMMANDS = {
    "download": "Bring days onto the drive, and prove that they are complete.",
    "resume": "Go on with every unfinished job of a store.",
    "update": "Bring every collection of a store up to the last settled day.",
    "verify": "Check what lies in a store, file by file.",
    "status": "Say what a store holds, and what is missing.",
    "plan": "Say what a download would do: days, requests, bytes, hours.",
    "accept": "Keep an incomplete answer that was put aside.",
    "export": "Give the vendor's CSV back, byte for byte.",
    "mirror": "Copy a store to a second drive, verified on both sides.",
    "doctor": "Say what is wrong, and what to do about it.",
    "terminal": "Start a Theta Terminal of our own, and keep it in service.",
    "simulate": "Run the stand-in for the Theta Terminal: no account, no Java.",
    "service": "Print a service that keeps a store up to date.",
    "config": "Show the settings as resolved, or write a config file.",
    "store": "Say what a store is, or rebuild its ledger from the files.",
}
_PIPE_CLOSED = 141  # 128 + SIGPIPE: whoever read our output has gone, as `head` does
_INTERRUPTED = 130


def load(name: str) -> Any:
    """The module of a command."""
    return import_module(f"thetabulk.cli.{name}")


def main(argv: Sequence[str] | None = None, *, load: Callable[[str], Any] = load) -> int:
    """Run a command line; the exit code. Nothing is raised, whatever happens."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    known: list[ThetabulkError] = []
    codes: list[int] = []
    try:
        codes.append(_run(arguments, load))
        sys.stdout.flush()
    except* ThetabulkError as group:
        known += failure.leaves(group)
    except* typer.TyperException as group:
        known += [failure.usage(error) for error in failure.leaves(group)]
    except* (KeyboardInterrupt, typer.Abort):
        codes.append(_INTERRUPTED)
    except* BrokenPipeError:
        codes.append(_close_pipe())
    except* SystemExit as group:
        codes += [_system_exit(error) for error in failure.leaves(group)]
    except* Exception as group:  # noqa: BLE001 - a mistake of ours: told shortly, kept in full
        known += [failure.internal(error, verbose=_is_set(arguments, "-v", "--verbose")) for error in group.exceptions]
    code = worst([*codes, *(error.exit_code for error in known)])
    failure.tell(known, code, as_json=_is_set(arguments, "--json"))
    return code


def build(chosen: str, load: Callable[[str], Any] = load) -> typer.Typer:
    """The Typer app with the chosen command; the others are only listed. No choice loads all (shell completion)."""
    app = typer.Typer(
        name="thetabulk",
        callback=_root,
        add_completion=True,
        rich_markup_mode=None,  # Rich cannot start fast
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, summary in COMMANDS.items():
        if chosen not in ("", name):
            app.command(name, help=summary)(_listed)
            continue
        module = load(name)
        if isinstance(getattr(module, "app", None), typer.Typer):
            app.add_typer(module.app, name=name, help=summary)
        else:
            app.command(name)(module.command)
    return app


def _run(arguments: list[str], load: Callable[[str], Any]) -> int:
    if not arguments and not _is_completing():
        arguments = ["--help"]
    chosen = next((word for word in arguments if not word.startswith("-")), "--help" if arguments else "")
    code = build(chosen, load)(arguments, prog_name="thetabulk", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _is_completing() -> bool:
    """Shell completion comes without arguments; what was typed is in the environment."""
    from thetabulk.config import environment

    return "_THETABULK_COMPLETE" in environment()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thetabulk {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Years of US options history from a ThetaData account onto a drive, and the proof that they are complete."""


def _listed() -> None:
    """Stands in the list of commands for one that was not typed, and so not imported."""


def _is_set(arguments: list[str], *flags: str) -> bool:
    return any(flag in arguments for flag in flags)


def _system_exit(error: SystemExit) -> int:
    """Typer exits by itself after shell completion (0), and when the reader of our output has gone."""
    if isinstance(error.__context__, BrokenPipeError):
        return _close_pipe()
    return error.code if isinstance(error.code, int) else 1


def _close_pipe() -> int:
    """What Python still wants to write at its end goes nowhere, silently."""
    with suppress(OSError, ValueError):  # a stdout that is no file needs nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _PIPE_CLOSED
