"""`thetabulk verify`: does the drive still hold what was saved?"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thetabulk import config as settings
from thetabulk.cli import failure, output
from thetabulk.cli.options import (
    AllowRemoteOption,
    ConfigOption,
    JsonOption,
    QuietOption,
    StoreOption,
    TierOption,
    UrlOption,
    VerboseOption,
    common,
    resolve,
)
from thetabulk.config import Resolved
from thetabulk.errors import UsageError
from thetabulk.model import Shard
from thetabulk.settings import duration_s
from thetabulk.wording import counted

if TYPE_CHECKING:
    from thetabulk.assembly.checks import Depth, Report

_LISTS_WAIT_S = 1.0  # for a Terminal, if only contract lists are to be asked for


def command(
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]…", help="Only these. Else: all.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Every record has its file: size and footer.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Also the sha256 of every file (default).")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also print the vendor's CSV again, compare it, and check its content.")
    ] = False,
    sample: Annotated[
        str | None, typer.Option("--sample", metavar="P", help="Only so many percent of the days, by chance.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="T", help="Stop after 2h, …; the next time goes on from there.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put damaged files aside, fetch their days and missing ones again.")
    ] = False,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Repair from this mirror first, then from the vendor.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if days lack full proof.")] = False,
    store: StoreOption = None,
    tier: TierOption = None,
    url: UrlOption = None,
    allow_remote: AllowRemoteOption = False,
    simulate: Annotated[bool, typer.Option("--simulate", help="Repair from the built-in simulator.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Check what lies in a store, file by file.

    Nothing is changed without --repair. Exit codes: 0, or 10 if damaged or missing files remain (3 with --strict if
    days are only unproven); a drive that cannot be read is 4, and says nothing about its files.
    """
    flags = common(store, json, quiet, verbose) | {
        "terminal.tier": tier,
        "terminal.url": url,
        "terminal.allow_remote": allow_remote,
    }
    resolved = resolve(config, flags)
    percent = _percent(sample)
    if source is not None and not repair:
        raise UsageError("--from DIR goes with --repair")
    if sum((quick, full, deep)) > 1:
        raise UsageError("--quick, --full and --deep are three different checks; choose one")
    from thetabulk.assembly import clock, verification
    from thetabulk.assembly.checks import Depth
    from thetabulk.report.checking import Checking
    from thetabulk.report.screen import choose

    screen = resolved.config.screen
    live = choose(replace(screen, json=False), settings.environment(), is_terminal=sys.stderr.isatty(), width=80)
    depth = Depth.QUICK if quick else Depth.DEEP if deep else Depth.FULL
    inquiry = verification.Inquiry(
        depth, tuple(symbols or ()), percent, _seconds(budget), repair=repair, source=source, strict=strict
    )  # fmt: skip
    with Checking(sys.stderr, clock.monotonic, live=live == "live", quiet=screen.quiet) as checking:
        found = verification.verify(
            resolved, inquiry, checking.tell,
            lambda pinned, shards, wait: _fetch(pinned, shards, wait=wait, simulate=simulate),
            simulated=simulate,
        )  # fmt: skip
    output.remark(found.report.notes, quiet=screen.quiet)
    if screen.json:
        output.tell_json(found.report.document())
    else:
        output.tell(_lines(found.report, depth))
    failure.tell([found.error] if found.error else [], found.exit_code, as_json=False)
    return found.exit_code


def _percent(text: str | None) -> float:
    try:
        percent = float(text.removesuffix("%")) if text else 100.0
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise UsageError(f"--sample {text} is no share of the days", hint="write it like 5%")
    return percent


def _seconds(text: str | None) -> float:
    try:
        return duration_s(text) if text else 0.0
    except ValueError as error:
        raise UsageError(f"--budget {text} {error}") from error


def _fetch(resolved: Resolved, shards: tuple[Shard, ...], *, wait: bool, simulate: bool) -> int:
    """A run over these days, told on stderr: stdout is for the report."""
    from thetabulk.assembly import clock, downloads
    from thetabulk.report.screen import open_screen

    terminal = resolved.config.terminal
    if not wait:
        terminal = replace(terminal, start_wait_s=min(_LISTS_WAIT_S, terminal.start_wait_s))
    shown = replace(resolved.config.screen, json=False)
    resolved = replace(resolved, config=replace(resolved.config, terminal=terminal, screen=shown))
    screen = open_screen(
        shown, settings.environment(), opening="thetabulk verify: fetching again",
        stdout=sys.stdout, stderr=sys.stderr, now=clock.monotonic, clock=clock.now,
    )  # fmt: skip
    with screen:
        orders = downloads.Orders("repair", () if simulate else None, only=shards)
        return downloads.run(resolved, orders, screen.emit)


def _lines(report: "Report", depth: "Depth") -> list[str]:
    from thetabulk.report.tables import problems
    from thetabulk.report.units import size

    how = {1: "size and footer", 2: "sha256", 3: "sha256, CSV printed again, content"}[depth]
    told = [f"{counted(report.checked, 'file')} checked, {size(report.bytes)} ({how})"]
    titles = {
        "repaired": "repaired",
        "damaged": "damaged",
        "missing": "missing",
        "unknown": "unknown",
        "unproven": "not proven",
    }
    for name, title in titles.items():
        told += problems(title, [problem.row() for problem in getattr(report, name) or ()])
    if report.earlier:
        told.append(
            f"{counted(report.earlier, 'file', 'was', 'were')} found good by the verify that was interrupted; "
            "the next one looks at all again"
        )
    if report.left and report.signal:
        told.append(f"interrupted: {counted(report.left, 'file', 'was', 'were')} not reached; the same command goes on")
    elif report.left:
        told.append(f"{counted(report.left, 'file', 'was', 'were')} not reached in time; the next time begins there")
    if not report.damaged and not report.missing:
        told.append("nothing is damaged or missing" + (" among those that were" if report.left else ""))
    elif report.repaired is None:
        told.append("next: thetabulk verify --repair")
    return told
