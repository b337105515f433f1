"""`thetabulk store info|rebuild`: what a store is; its ledger from the files alone."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import typer

from thetabulk import config as settings
from thetabulk.cli import output
from thetabulk.cli.options import ConfigOption, JsonOption, QuietOption, StoreOption, VerboseOption, common, resolve
from thetabulk.wording import counted

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.command()
def info(
    store: StoreOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """What a store is: identity, drive, sizes, and the state of its ledger."""
    resolved = resolve(config, common(store, json, quiet, verbose))
    from thetabulk.assembly.portrait import portrait

    found = portrait(resolved)
    output.remark(found.notes, quiet=quiet)
    if resolved.config.screen.json:
        output.tell_json(found.document)
    else:
        from thetabulk.report.tables import facts

        output.tell(facts(_told(found.document)))
    return 0


@app.command()
def rebuild(
    store: StoreOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """The ledger from the files alone, for a store whose ledger is lost or no longer to be trusted.

    Every file is read and checked. Empty and refused days, boundaries and jobs cannot be rebuilt: they are asked for
    again. The old ledger is kept beside the new one. Exit codes: 0, or 10 if files are not whole.
    """
    resolved = resolve(config, common(store, json, quiet, verbose))
    from thetabulk.assembly import clock
    from thetabulk.assembly.rebuilding import rebuild as run
    from thetabulk.report.checking import Checking
    from thetabulk.report.screen import choose
    from thetabulk.report.tables import problems
    from thetabulk.report.units import count, size

    screen = resolved.config.screen
    shown = choose(replace(screen, json=False), settings.environment(), is_terminal=sys.stderr.isatty(), width=80)
    with Checking(sys.stderr, clock.monotonic, live=shown == "live", quiet=screen.quiet) as checking:
        done = run(resolved, checking.tell)
    output.remark(done.notes, quiet=screen.quiet)
    if screen.json:
        output.tell_json(done.document())
    else:
        output.tell([f"{counted(done.days, 'day')} recorded from files, {size(done.bytes)}"])
        output.tell(problems("not whole", [problem.row() for problem in done.problems]))
        lost = ", ".join(f"{count(number)} {name}" for name, number in done.lost.items())
        output.tell([f"not in the new ledger, because no file says it: {lost}"] if lost else [])
        output.tell([f"the old ledger is kept as {name}" for name in done.kept])
        output.tell(["next: `thetabulk download SYMBOL --from DATE` makes the job known again"])
    return 10 if done.problems else 0


def _told(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The document for a person: sizes with units, counts with commas, one collection a line."""
    from thetabulk.report.units import count, size

    for name, value in document.items():
        if isinstance(value, list):
            yield from ((name if not number else "", str(text)) for number, text in enumerate(value or ["none"]))
        elif isinstance(value, bool) or not isinstance(value, int):
            yield name, {"True": "yes", "False": "no"}.get(str(value), str(value))
        else:
            is_size = name.endswith("_bytes")
            yield name.removesuffix("_bytes").replace("_", " "), size(value) if is_size else count(value)
