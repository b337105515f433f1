"""`thetabulk doctor`: what is wrong, and what to do about it."""

from pathlib import Path
from typing import Annotated

import typer

from thetabulk.cli import output
from thetabulk.cli.options import (
    AllowRemoteOption,
    ConfigOption,
    JsonOption,
    QuietOption,
    StoreOption,
    UrlOption,
    VerboseOption,
    common,
    resolve,
)
from thetabulk.config import Resolved
from thetabulk.errors import UsageError


def command(
    quick: Annotated[
        bool, typer.Option("--quick", help="Only what is told at once, without a request for data: a health check.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="First wait until the Terminal is well (doctor.wait_s: ten minutes).")
    ] = False,
    drive_test: Annotated[
        bool, typer.Option("--drive-test", help="Try out the store's drive: flushes, names, locks, speed.")
    ] = False,
    trust_jar: Annotated[
        bool, typer.Option("--trust-jar", help="Remember the Terminal's jar as it is now: you have replaced it.")
    ] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask the Terminal how it answers, two minutes; the store remembers it.")
    ] = False,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="FILE", help="With --probe: what was answered, to show around.")
    ] = None,
    store: StoreOption = None,
    url: UrlOption = None,
    allow_remote: AllowRemoteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Say what is wrong, and what to do about it.

    Looks at Java, the jar, the credentials file (never at what it says), the port, the Terminal and a known-good day,
    the clock, the store and its drive, this machine. Exit code 0 (ok, warnings), or that of the worst problem: 4
    drive, 5 full, 6 permission, 7 account, 8 Terminal.
    """
    if bundle is not None and not probe:
        raise UsageError("without --probe there is nothing for --bundle", hint="thetabulk doctor --probe --bundle FILE")
    flags = common(store, json, quiet, verbose) | {"terminal.url": url, "terminal.allow_remote": allow_remote}
    resolved = resolve(config, flags)
    from thetabulk.assembly.doctor.examination import Wanted, examine
    from thetabulk.report import findings

    screen = resolved.config.screen
    if wait:
        from thetabulk.assembly.doctor.waiting import wait_for_terminal

        def tell(wrong: findings.Finding) -> None:
            output.remark([f"waiting: {wrong.text}"], quiet=screen.quiet)

        wait_for_terminal(resolved.config, tell=tell, golden=not quick)
    if probe:
        return _probe(resolved, bundle)
    found = examine(resolved, Wanted(quick, drive_test, trust_jar))
    if screen.json:
        drive = {"drive": found.drive} if found.drive else {}
        output.tell_json(findings.document(found.findings, found.seconds) | drive)
    else:
        output.tell(findings.lines(found.findings, quiet=screen.quiet, whole=screen.verbose))
    return findings.exit_code(found.findings)


def _probe(resolved: Resolved, bundle: Path | None) -> int:
    """First contact: its questions on stderr while they are asked, what they have taught on stdout."""
    from thetabulk.assembly import probing
    from thetabulk.events import Event, Notice
    from thetabulk.report.first_contact import told

    screen = resolved.config.screen

    def tell(event: Event) -> None:
        if isinstance(event, Notice):
            output.remark([event.message], quiet=screen.quiet)

    found = probing.first_contact(resolved, tell)
    if bundle is not None:
        probing.save_bundle(found, bundle)
    if screen.json:
        output.tell_json(found.document)
    else:
        output.tell(told(found.document))
    return found.exit_code
