"""`thetabulk terminal start|stop|restart|status|logs|fetch`: a Theta Terminal of our own, kept in service."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from thetabulk import config as settings
from thetabulk.cli import output
from thetabulk.cli.options import ConfigOption, JsonOption, QuietOption, UrlOption, VerboseOption, common, resolve
from thetabulk.config import Resolved

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

JarOption = Annotated[Path | None, typer.Option("--jar", metavar="FILE", help="The Terminal's jar.")]
JavaOption = Annotated[Path | None, typer.Option("--java", metavar="FILE", help="The Java to run it with.")]
CredentialsOption = Annotated[
    Path | None, typer.Option("--credentials", metavar="FILE", help="Two lines: e-mail address, password.")
]
NowOption = Annotated[bool, typer.Option("--now", help="Do not wait for the end of a cool-down.")]
TrustOption = Annotated[bool, typer.Option("--trust-jar", help="The jar was changed, and by you: remember it anew.")]


@app.command()
def start(
    jar: JarOption = None,
    java: JavaOption = None,
    credentials: CredentialsOption = None,
    url: UrlOption = None,
    now: NowOption = False,
    trust_jar: TrustOption = False,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Supervise in this process, until Ctrl-C (for services).")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Start a Terminal, and keep it in service.

    Returns when it is connected; a supervisor stays behind. One that runs already is used as it is, and never stopped.
    Exit codes: 0 connected, 7 the account (login, session taken), 8 it does not come up.
    """
    resolved = _resolved(config, url, json, quiet, verbose, jar, java, credentials)
    if foreground:
        return _supervise(resolved, now=now, trust_jar=trust_jar)
    return _start(resolved, config, now=now, trust_jar=trust_jar)


@app.command()
def stop(
    url: UrlOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Stop the Terminal that `start` has started.

    Asked, then TERM, then KILL, until its port is free. Whatever thetabulk did not start is never stopped (exit
    code 2).
    """
    resolved = _resolved(config, url, json, quiet, verbose)
    from thetabulk.assembly import terminal_commands

    report = terminal_commands.stop(resolved.config, _teller(resolved))
    if resolved.config.screen.json:
        output.tell_json(report.document)
    return 0


@app.command()
def restart(
    jar: JarOption = None,
    java: JavaOption = None,
    credentials: CredentialsOption = None,
    url: UrlOption = None,
    now: NowOption = False,
    trust_jar: TrustOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Stop, then start. Exit codes as those of `start`; 2 if the Terminal is not ours."""
    resolved = _resolved(config, url, json, quiet, verbose, jar, java, credentials)
    from thetabulk.assembly import terminal_commands

    terminal_commands.stop(resolved.config, _teller(resolved))
    return _start(resolved, config, now=now, trust_jar=trust_jar)


@app.command()
def status(
    url: UrlOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Whose Terminal answers, how it is, and what comes next. Exit codes: 0 connected, 7 the account, 8 it is not."""
    resolved = _resolved(config, url, json, quiet, verbose)
    from thetabulk.assembly import terminal_commands

    return _tell(resolved, terminal_commands.status(resolved.config))


@app.command()
def logs(
    count: Annotated[int, typer.Option("-n", "--lines", metavar="N", min=1, help="So many of the last lines.")] = 50,
    url: UrlOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """The last lines of the Terminal's log.

    As thetabulk keeps it: without passwords, tokens and addresses.
    """
    resolved = _resolved(config, url, json, quiet, verbose)
    from thetabulk.assembly import terminal_commands

    path, lines = terminal_commands.log_lines(resolved.config, count)
    if resolved.config.screen.json:
        output.tell_json({"log": str(path), "lines": lines})
    else:
        output.tell(lines)
        output.remark([str(path) if lines else f"nothing was logged yet ({path})"], quiet=resolved.config.screen.quiet)
    return 0


@app.command()
def fetch(
    source: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="Another source than terminal.jar_url.")
    ] = None,
    sha256: Annotated[str | None, typer.Option("--sha256", metavar="HEX", help="The hash that it must have.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take it even if it is not the one known.")] = False,
    jar: JarOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    config: ConfigOption = None,
) -> int:
    """Bring the Terminal's jar from the vendor. Nothing else in thetabulk ever downloads one.

    From where the setting terminal.jar_url says, or --from. Its source and its SHA-256 are told, and the hash is
    remembered: a jar that differs later is not run before you say so.
    """
    resolved = _resolved(config, None, json, quiet, verbose, jar)
    from thetabulk.assembly import terminal_commands

    asked = source or resolved.config.terminal.jar_url
    output.remark([f"from {asked}"], quiet=resolved.config.screen.quiet)
    found = terminal_commands.bring(resolved.config, source=asked, sha256=sha256 or "", replace=replace)
    if resolved.config.screen.json:
        output.tell_json({
            "url": found.url, "path": str(found.path), "sha256": found.sha256, "bytes": found.bytes,
            "version": found.version, "news": found.news,
        })  # fmt: skip
    else:
        from thetabulk.report.units import size

        told = {"jar": str(found.path), "size": size(found.bytes), "version": found.version or "it does not say",
                "sha256": found.sha256, "": _NEWS[found.news]}  # fmt: skip
        output.tell(_wrapped(told.items()))
    return 0


_WIDTH, _NAME_WIDTH = 80, 9
_NEWS = {
    "first": "remembered: another jar in its place will not be run unasked",
    "same": "it was there already",
    "replaced": "it takes the place of the one before",
}


def _resolved(
    config: Path | None, url: str | None, json: bool, quiet: bool, verbose: bool, jar: Path | None = None,
    java: Path | None = None, credentials: Path | None = None,
) -> Resolved:  # fmt: skip
    flags = common(None, json, quiet, verbose) | {
        "terminal.url": url,
        "terminal.jar": jar,
        "terminal.java": java,
        "terminal.credentials": credentials,
    }
    return resolve(config, flags)


def _teller(resolved: Resolved) -> Callable[[str], None]:
    """Lines beside the data, unless quiet is wanted."""
    return lambda text: output.remark([text], quiet=resolved.config.screen.quiet)


def _start(resolved: Resolved, config: Path | None, *, now: bool, trust_jar: bool) -> int:
    from thetabulk.assembly import terminal_commands

    screen = resolved.config.screen
    arguments = ["--config", str(config.absolute())] if config else []
    output.remark(["starting the Terminal …"], quiet=screen.quiet)
    report = terminal_commands.start(resolved.config, arguments, now=now, trust_jar=trust_jar, tell=_teller(resolved))
    return _tell(resolved, report)


def _supervise(resolved: Resolved, *, now: bool, trust_jar: bool) -> int:
    """Plain lines (or JSON) of everything that happens, until it is told to end."""
    from thetabulk.assembly import clock, terminal_commands, terminals
    from thetabulk.report.screen import open_screen

    def begin() -> None:
        terminal_commands.allow(resolved.config, now=now, trust_jar=trust_jar)

    screen = open_screen(
        resolved.config.screen, settings.environment(), opening="thetabulk terminal: looking around",
        stdout=sys.stdout, stderr=sys.stderr, now=clock.monotonic, clock=clock.now,
    )  # fmt: skip
    with screen:
        return terminals.supervise(resolved.config, screen.emit, begin)


def _tell(resolved: Resolved, report: object) -> int:
    from thetabulk.assembly.terminal_commands import Report

    assert isinstance(report, Report)
    if resolved.config.screen.json:
        output.tell_json(report.document)
    else:
        output.tell(_wrapped(_lines(report.document)))
    return report.exit_code


def _wrapped(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """`name   value`, in 80 columns."""
    from textwrap import wrap

    from thetabulk.report.tables import facts

    for name, value in pairs:
        first, *others = wrap(value, _WIDTH - _NAME_WIDTH - 2, break_on_hyphens=False) or [""]
        yield from facts([(name.ljust(_NAME_WIDTH), first), *(("".ljust(_NAME_WIDTH), line) for line in others)])


_WHOSE = {
    "owned": "ours: started by thetabulk, and stopped by it",
    "adopted": "not ours: used as it is, never stopped",
    "absent": "nobody's: no Terminal runs",
}
_HOW = {
    "ready": "connected",
    "waiting": "it answers, and is not connected",
    "starting": "starting",
    "ending": "being stopped",
    "cooling": "stopped; it is tried again",
    "failed": "given up",
    "absent": "not there",
    "something else": "what answers is not a Theta Terminal",
}


def _lines(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The document for a person; what is not known is left out."""
    yield "terminal", f"{document['url']}"
    yield "whose", _WHOSE[str(document["ownership"])]
    yield "state", f"{_HOW.get(str(document['state']), document['state'])} ({document['word'] or 'no answer'})"
    for name in ("pid", "since", "restarts"):
        if document[name]:
            yield name, str(document[name])
    tiers = document["tiers"]
    if isinstance(tiers, Mapping) and tiers:
        yield "account", ", ".join(f"{asset} {tier}" for asset, tier in tiers.items())
    if document["requests"]:
        yield "requests", f"{document['requests']} at once"
    if document["ownership"] != "owned" and document["owner"]:
        yield "port", str(document["owner"])
    for name, label in (("message", "last"), ("hint", "to do"), ("next_try_at", "next try")):
        if document[name] and document["state"] not in ("ready", "waiting"):
            yield label, str(document[name])
    if document["ownership"] == "owned" or document["supervised"]:
        yield "log", str(document["log"])
