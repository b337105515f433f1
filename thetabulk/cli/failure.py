"""What is said when a command fails: what is wrong, what to do, and (if asked for) the same as JSON."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from textwrap import wrap
from typing import TypeVar

import typer

from thetabulk.errors import ThetabulkError, UsageError
from thetabulk.redaction import without_secrets

Raised = TypeVar("Raised", bound=BaseException)
_NARROW = 20


def leaves(group: BaseExceptionGroup[Raised]) -> list[Raised]:
    """The exceptions of a group, and of the groups in it: a TaskGroup wraps whatever ends it."""
    found: list[Raised] = []
    for error in group.exceptions:
        found += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def tell(errors: Sequence[ThetabulkError], exit_code: int, *, as_json: bool) -> None:
    """Every error to stderr; with `as_json` also one object to stdout, `{"error", "hint", "exit_code"}`."""
    told: list[str] = []
    for error in errors:
        text = _harmless(f"thetabulk: error: {error.what}" + (f"\nhint: {error.hint}" if error.hint else ""))
        if text not in told:
            told.append(text)
            typer.echo(_fitting(text, _columns()), err=True)
    if errors and as_json:
        from thetabulk.cli import output

        first = min(errors, key=lambda error: error.exit_code != exit_code)
        output.tell_json({"error": first.what, "hint": first.hint, "exit_code": exit_code})


def usage(error: typer.TyperException) -> ThetabulkError:
    """What Typer finds wrong with a command line, in our words: it is exit code 2, with the help that helps."""
    if error.exit_code != UsageError.exit_code:
        return ThetabulkError(error.format_message())
    context = getattr(error, "ctx", None)  # Typer's usage errors know which command they are about
    command = context.command_path if context else "thetabulk"
    return UsageError(error.format_message().rstrip("."), hint=f"{command} --help")


def internal(error: BaseException, *, verbose: bool) -> ThetabulkError:
    """A mistake of ours: its last line for the person, the traceback on stderr (`verbose`) or in a file."""
    import traceback

    trace = _harmless(without_secrets("".join(traceback.format_exception(error))))
    first = leaves(error)[0] if isinstance(error, BaseExceptionGroup) else error
    what = f"internal error: {type(first).__name__}: {first}".rstrip(": ")
    if verbose:
        sys.stderr.write(trace)
        return ThetabulkError(what)
    kept = _keep(trace)
    where = f"its traceback is in {kept}" if kept else "-v shows its traceback"
    return ThetabulkError(what, hint=f"this is a mistake in thetabulk; {where}")


def _keep(trace: str) -> Path | None:
    from thetabulk.state import state_folder

    file = state_folder() / "traceback.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(trace, encoding="utf-8")
    except OSError:
        return None
    return file


def _columns() -> int:
    """The width of the terminal that stderr is; 0 if it is none: what is not read by a person is not folded."""
    with suppress(OSError, ValueError):
        if sys.stderr.isatty():
            return os.get_terminal_size(sys.stderr.fileno()).columns
    return 0


def _fitting(text: str, columns: int) -> str:
    """Long lines folded between words. No word is cut: a path or a command's option has to be copied whole."""
    if columns < _NARROW:
        return text
    folded = [
        wrap(line, columns, break_long_words=False, break_on_hyphens=False) if len(line) > columns else [line]
        for line in text.split("\n")
    ]
    return "\n".join(line for lines in folded for line in lines)


def _harmless(text: str) -> str:
    """Line by line, without what would steer a terminal: the words may be the vendor's, or a file's name."""
    from thetabulk.report.units import printable  # `--help` does without

    return "\n".join(map(printable, text.split("\n")))
