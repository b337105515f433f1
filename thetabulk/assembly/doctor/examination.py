"""The whole examination: gather the facts, say what they mean, in the order of a download's way."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from thetabulk import state
from thetabulk.assembly import clock
from thetabulk.assembly.doctor import drive, machine, place, start
from thetabulk.assembly.doctor.answers import golden_finding, status_finding
from thetabulk.assembly.doctor.gathering import Untold, gather
from thetabulk.assembly.doctor.place import Place
from thetabulk.assembly.doctor.port import exposure_finding, is_local, others_finding, port_finding, port_of
from thetabulk.assembly.doctor.start import Kit
from thetabulk.assembly.doctor.talk import Talk, talk
from thetabulk.config import Config, Resolved, environment
from thetabulk.errors import DriveGone, TerminalUnavailable, UsageError
from thetabulk.fetch.url import check_url
from thetabulk.report.findings import Finding, Level, ok, problem, unknown
from thetabulk.store import drives
from thetabulk.store.drives import Mount
from thetabulk.terminal import credentials, filesystems, idleness, invocation, java, listeners
from thetabulk.terminal.listeners import Listener, Program


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to examine. `quick`: only what is told at once, and no request for data. `trust_jar`: the jar that is there
    now is the one to remember."""

    quick: bool = False
    drive_test: bool = False
    trust_jar: bool = False


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, in how many seconds, and (with a drive test) what the drive can do."""

    findings: tuple[Finding, ...]
    seconds: float
    drive: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Local:
    """What this machine tells about the port and what stands behind it."""

    listening: tuple[Listener, ...]
    others: tuple[Program, ...]
    kit: Kit


def examine(resolved: Resolved, wanted: Wanted) -> Examination:
    """Looks at everything within `doctor.limit_s` (a drive test has a time of its own); raises nothing that could be a
    finding."""
    began, settings = clock.monotonic(), resolved.config.doctor
    url, address = address_finding(resolved.config)
    facts = gather(
        _questions(resolved, wanted, url), limit_s=settings.quick_limit_s if wanted.quick else settings.limit_s,
        now=clock.monotonic,
    )  # fmt: skip
    found = [address, *_about_terminal(resolved.config, url, facts), *_about_machine(resolved.config, facts)]
    tried = None
    if wanted.drive_test:
        trial = {"drive": partial(drive.try_drive, facts["store"], settings)}
        tried = gather(trial, limit_s=settings.drive_limit_s, now=clock.monotonic)["drive"]
        found += drive.findings(tried)
    return Examination(tuple(found), clock.monotonic() - began, drive.capabilities(tried))


def before_run(resolved: Resolved) -> list[Finding]:
    """What a run should know before it begins: nothing of what its start asks and tells by itself, and nothing that
    takes time. Warnings and problems only."""
    limit_s = resolved.config.doctor.quick_limit_s
    asked = {"store": lambda: place.look(resolved, ())}
    store = gather(asked, limit_s=limit_s, now=clock.monotonic)["store"]
    found = [
        machine.clock_finding(None, resolved.config.doctor, clock.now(), _known(store)),
        machine.zone_finding(environment()),
        machine.descriptors_finding(machine.descriptors(), resolved.config.doctor),
        machine.python_finding(),
    ]
    return [each for each in found if each.level in (Level.WARN, Level.PROBLEM)]


def _known(store: object) -> tuple[datetime, ...]:
    return store.known if isinstance(store, Place) else ()


def address_finding(config: Config) -> tuple[str, Finding]:
    """The URL that may be asked, "" if none may; and what is to be said about it."""
    try:
        base = check_url(config.terminal.url, config.terminal.allow_remote)
    except UsageError as error:
        return "", problem("address", error.what, error.hint, code=error.exit_code)
    note = " instead of localhost, with which it must not be mixed" if base.note else ""
    return str(base), ok("address", f"{base}{note}" + (": another machine, not looked at" if base.remote else ""))


def _questions(resolved: Resolved, wanted: Wanted, url: str) -> Mapping[str, Callable[[], Any]]:
    config = resolved.config
    asked: dict[str, Callable[[], Any]] = {"store": lambda: place.look(resolved, filesystems.mounted())}
    if url:
        asked["talk"] = partial(talk, config, url, golden=not wanted.quick)
    if wanted.quick:
        return asked
    asked["sleep"] = partial(idleness.sleeps_after_s, sys.platform)
    if url and is_local(url):
        asked["java"] = partial(
            java.find, _path(config.terminal.java), needed=config.terminal.java_needed,
            timeout_s=config.doctor.java_timeout_s,
        )  # fmt: skip
        asked["local"] = partial(_look_around, config, port_of(url), trust_jar=wanted.trust_jar)
    return asked


def _look_around(config: Config, port: int, *, trust_jar: bool) -> Local:
    """The port's owner, and the files that it, or the next one, is started with."""
    listening = listeners.listeners(port)
    pids = {each.program.pid for each in listening if each.program}
    running = [found for pid in sorted(pids) if (found := invocation.of_process(pid))]
    jar = start.jar_of(config.terminal, running, Path.home())
    file = start.credentials_of(config.terminal, running, jar)
    pin, version, broken = start.look_at_jar(jar, state.state_folder(), trust=trust_jar)
    shows_key = any(each.shows_key for each in running)
    kit = Kit(jar, pin, version, broken, credentials.examine(file), _filesystem(file), shows_key)
    family = {pid for each in pids for pid in invocation.ancestry(each)}
    others = [each for each in listeners.lookalikes(pids) if each.pid not in family and not _is_thetabulk(each)]
    return Local(listening, tuple(others), kit)


def _is_thetabulk(program: Program) -> bool:
    """A run of ours, or a supervisor: it may name the vendor's folders, and holds no session by itself."""
    word, _, rest = program.command.partition(" ")
    return PurePath(word).name.startswith("python") and "thetabulk" in rest


def _about_terminal(config: Config, url: str, facts: Mapping[str, Any]) -> list[Finding]:
    if not url:
        return []
    said, local, now = facts["talk"], facts.get("local"), clock.now()
    if isinstance(said, Untold):
        said = Talk(url, TerminalUnavailable(f"what answers at {url} is stuck: {said.reason}"))
    found = []
    if isinstance(local, Untold):
        found.append(unknown("port", local.reason))
    elif local is not None:
        port, runs = port_of(url), said.alive
        found += start.findings(
            facts["java"], local.kit, environment(), needed=config.terminal.java_needed, runs=runs
        )  # fmt: skip
        found.append(port_finding(port, local.listening, said, now))
        found += filter(None, [exposure_finding(port, local.listening, sys.platform)])
        found.append(others_finding(local.others, now))
    told_by_port = said.foreign and isinstance(local, Local)
    found += [] if told_by_port else [status_finding(said)]
    return [*found, *filter(None, [golden_finding(said, config.doctor)])]


def _about_machine(config: Config, facts: Mapping[str, Any]) -> list[Finding]:
    said, store, env = facts.get("talk"), facts["store"], environment()
    talked = said if isinstance(said, Talk) else None
    connected = talked is not None and talked.trouble is None
    found = [
        machine.clock_finding(
            talked.golden if talked else None, config.doctor, clock.now(),
            _known(store),
        ),
        machine.zone_finding(env),
    ]  # fmt: skip
    if isinstance(store, Place):
        found += place.findings(store, config.store, config.doctor, talked.simulator if talked and connected else None)
    else:
        found.append(problem("store", f"the drive does not answer: {store.reason}", code=DriveGone.exit_code))
    if "sleep" in facts:
        after_s = None if isinstance(facts["sleep"], Untold) else facts["sleep"]
        found.append(machine.sleep_finding(after_s, keep_awake=config.screen.keep_awake))
    found.append(machine.detour_finding(env, connected=connected))
    found.append(machine.descriptors_finding(machine.descriptors(), config.doctor))
    return [*found, machine.python_finding()]


def _filesystem(file: Path) -> str:
    table = [Mount(path, kind, read_only=False) for path, kind in filesystems.mounted()]
    return drives.filesystem_of(file.parent.resolve(), table)


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
