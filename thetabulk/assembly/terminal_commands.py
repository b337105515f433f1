"""What `thetabulk terminal …` does, beside the supervisor that it leaves behind."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from thetabulk import config as settings
from thetabulk import state as remembered
from thetabulk.assembly import clock
from thetabulk.assembly.recipes import jar_path, recipe_of
from thetabulk.assembly.recipes import trust_jar as trust
from thetabulk.assembly.terminals import local_port, lock_of, machine_of, place_of
from thetabulk.config import Config, TerminalConfig
from thetabulk.errors import AccountError, TerminalUnavailable, UsageError
from thetabulk.terminal import keeper
from thetabulk.terminal.causes import Cause
from thetabulk.terminal.command import without_key
from thetabulk.terminal.explaining import owners_text
from thetabulk.terminal.fetching import Fetched, fetch
from thetabulk.terminal.host import Place, Recipe
from thetabulk.terminal.lifecycle import ACCOUNT
from thetabulk.terminal.listeners import listeners
from thetabulk.terminal.ownership import is_ours, new_token, read_record
from thetabulk.terminal.probe import Probe, Sign
from thetabulk.terminal.rotation import last_lines

_POLL_S = 0.2
_STOP_TIMES = 4  # asked, TERM, the port; and once more for the supervisor itself


@dataclass(frozen=True, slots=True)
class Report:
    """How a Terminal stands: `document` is the JSON of `terminal status`, `exit_code` 0 if it is connected."""

    document: dict[str, object]
    exit_code: int


def start(config: Config, arguments: list[str], *, now: bool, trust_jar: bool, tell: Callable[[str], None]) -> Report:
    """Starts a supervisor of its own, and returns when its Terminal is connected. `arguments` are the flags that it
    has to hear too. Raises what it gave up with (7, 8), or TerminalUnavailable if it is not connected in time."""
    terminal = config.terminal
    _, port = local_port(terminal)
    state, environment = remembered.state_folder(), dict(settings.environment())
    place = place_of(terminal, port, state)
    if keeper.is_taken(lock_of(place)):
        tell("it is looked after already")
        return status(config)
    machine = machine_of(config, leashed=False)
    sign = asyncio.run(Probe(local_port(terminal)[0], terminal.probe_timeout_s).look())
    if sign.is_terminal and machine.orphan() is None:
        tell(f"a Terminal runs already, and is not ours: {owners_text(listeners(port))}")
        return status(config)
    allow(config, now=now, trust_jar=trust_jar)
    recipe = recipe_of(terminal, environment, Path.home(), state)
    _respect_cool_down(place)
    if recipe.first_time:
        tell("a first start fetches the real Terminal: that takes minutes")
    log = place.record.with_name(f"{port}-supervisor.log")
    if recipe.creds is not None:  # then nobody needs the key
        environment = without_key(environment)
    token = new_token()
    process = keeper.spawn(
        _again(recipe, terminal, arguments), environment, token, place.record.parent, log, terminal.log_bytes
    )  # fmt: skip
    _wait_for(process.poll, token, place, config, log, tell)
    report = status(config)
    process.returncode = 0 if process.returncode is None else process.returncode  # it goes on without us
    return report


def allow(config: Config, *, now: bool, trust_jar: bool) -> None:
    """Before a start: what its person has allowed by `--now` and `--trust-jar`."""
    if trust_jar:
        trust(config.terminal, Path.home(), remembered.state_folder())
    machine = machine_of(config, leashed=False)
    if now and machine.remembered():
        machine.remember(machine.orphan(), {**machine.remembered(), "next_try_at": None, "state": "absent"})


def _again(recipe: Recipe, terminal: TerminalConfig, arguments: list[str]) -> list[str]:
    """The command line of the supervisor: this program, with every path absolute, since it runs in another folder."""
    program = "import sys; from thetabulk.cli.app import main; sys.exit(main())"
    paths = ["--jar", str(recipe.jar), "--java", str(recipe.java)]
    if recipe.creds is not None:
        paths += ["--credentials", str(recipe.creds)]
    return [
        sys.executable, "-c", program, "terminal", "start", "--foreground", "--url", terminal.url, *paths, *arguments
    ]  # fmt: skip


def _respect_cool_down(place: Place) -> None:
    """A start before the vendor has freed the session, or after too many requests, makes it worse."""
    told = read_record(place.record).details or {}
    at, cause = told.get("next_try_at"), told.get("cause")
    if not isinstance(at, int | float) or cause not in (Cause.SESSION, Cause.RATE) or at <= clock.wall():
        return
    kind = AccountError if cause in ACCOUNT else TerminalUnavailable
    when = datetime.fromtimestamp(at, UTC)
    raise kind(f"{told.get('message')}; the next start is wise at {when:%H:%M} UTC",
               hint="--now does not wait; a login too early takes longer in the end")  # fmt: skip


def _wait_for(
    poll: Callable[[], int | None], token: str, place: Place, config: Config, log: Path, tell: Callable[[str], None]
) -> None:
    """Until the supervisor with this token has a connected Terminal; raises what it gave up with, or when it takes too
    long. What an earlier one has written down says nothing about it. If another `start` was faster, it is the other's
    supervisor that is waited for."""
    until = clock.monotonic() + config.terminal.start_limit_s + config.terminal.port_wait_s
    shown = ""
    while True:
        code = poll()
        record = read_record(place.record)
        was_second = code is not None and keeper.is_taken(lock_of(place))
        keeps = record.supervisor
        counts = keeps is not None and (is_ours(keeps) if was_second else keeps.token == token)
        details = (record.details or {}) if counts else {}
        state, cause = details.get("state"), details.get("cause")
        message, hint = str(details.get("message") or ""), str(details.get("hint") or "")
        if code is not None and not was_second:
            kind = AccountError if code == AccountError.exit_code else TerminalUnavailable
            said = message if state == "failed" else " / ".join(last_lines(log, 3))
            raise kind(said or "the supervisor has ended", hint=hint or "thetabulk terminal logs")
        if state == "ready" and _is_ours_now(place):
            return
        if state == "cooling" and cause in (Cause.SESSION, Cause.RATE):
            raise (AccountError if cause in ACCOUNT else TerminalUnavailable)(message, hint=hint)
        if state == "cooling" and message and message != shown:
            tell(message)
            shown = message
        if clock.monotonic() > until:
            raise TerminalUnavailable("the Terminal is not connected yet; its supervisor goes on trying",
                                      hint="thetabulk terminal status")  # fmt: skip
        clock.sleep(_POLL_S)


def _is_ours_now(place: Place) -> bool:
    """Whether the Terminal that is written down is alive, and ours."""
    known = read_record(place.record).terminal
    return known is not None and is_ours(known)


def stop(config: Config, tell: Callable[[str], None]) -> Report:
    """Ends the Terminal that `start` has started, and its supervisor. UsageError for one that is not ours."""
    terminal = config.terminal
    _, port = local_port(terminal)
    place = place_of(terminal, port, remembered.state_folder())
    lock = lock_of(place)
    known = read_record(place.record)
    if keeper.is_taken(lock):
        if known.supervisor is None or not keeper.ask_to_end(known.supervisor):
            pid = known.supervisor.pid if known.supervisor else "?"
            raise UsageError(f"a running download looks after this Terminal (pid {pid})",
                             hint="stop the download: its Terminal ends with it")  # fmt: skip
        until = clock.monotonic() + _STOP_TIMES * terminal.stop_grace_s + 10
        while keeper.is_taken(lock):
            if clock.monotonic() > until:
                raise TerminalUnavailable("its supervisor does not end", hint="thetabulk terminal status")
            clock.sleep(_POLL_S)
        tell("stopped")
        _end_orphan(config, lock, tell)  # Windows: its supervisor was not asked, but ended
        return status(config)
    if _end_orphan(config, lock, tell):
        return status(config)
    owners = listeners(port)
    if owners:
        raise UsageError(f"port {port} belongs to {owners_text(owners)}",
                         hint="thetabulk stops only what it has started")  # fmt: skip
    tell("no Terminal runs")
    return status(config)


def _end_orphan(config: Config, lock: Path, tell: Callable[[str], None]) -> bool:
    """Ends a Terminal of ours that has no supervisor; whether there was one."""
    machine = machine_of(config, leashed=False)
    with keeper.turn(lock) as ours:
        orphan = machine.orphan() if ours else None
        if orphan is None:
            return False
        means = asyncio.run(machine.end(orphan))
        if machine.orphan() is not None:
            raise TerminalUnavailable(
                f"the Terminal (pid {orphan.mark.pid}) does not end, not even by KILL",
                hint="the system keeps it, as it does while a drive hangs; later: thetabulk terminal stop",
            )
        machine.remember(None, {**machine.remembered(), "state": "absent", "ownership": "absent", "pid": None})
    tell(f"stopped what an earlier supervisor had left behind ({means})")
    return True


def status(config: Config) -> Report:
    """How it stands now: what is written down, and one look."""
    terminal = config.terminal
    url, port = local_port(terminal)
    place = place_of(terminal, port, remembered.state_folder())
    sign = asyncio.run(Probe(url, terminal.probe_timeout_s).look())
    known = read_record(place.record)
    details = dict(known.details or {})
    supervised = keeper.is_taken(lock_of(place))
    owned = known.terminal is not None and is_ours(known.terminal)
    owners = listeners(port)
    if not owned and (not supervised or sign.is_life):
        ownership = "adopted" if sign.is_terminal else "absent"
        pid = next((owner.program.pid for owner in owners if owner.program), None) if sign.is_life else None
        ending = {name: details.get(name) for name in ("cause", "message", "hint", "next_try_at")}
        details = {"ownership": ownership, "state": _state(sign), "pid": pid, **(ending if not sign.is_life else {})}
    elif owned:
        details |= {"ownership": "owned", "state": _state(sign) if sign.is_life or not supervised else details["state"]}
    document: dict[str, object] = {
        "url": url, "port": port, "ownership": "absent", "state": "absent", "pid": None, "since": None,
        "word": sign.text if sign.is_life else "", "cause": "", "message": "", "hint": "", "next_try_at": None,
        "restarts": 0, "tiers": {}, "requests": 0,
    } | {name: value for name, value in details.items() if name not in ("restarts_at", "causes", "word")}  # fmt: skip
    document |= {
        "supervised": supervised, "log": str(place.log), "owner": owners_text(owners) if owners else "",
        "since": _moment(document["since"]), "next_try_at": _moment(document["next_try_at"]),
    }  # fmt: skip
    return Report(document, _exit_code(sign, str(document["cause"])))


def _state(sign: Sign) -> str:
    if not sign.is_life:
        return "absent"
    if not sign.is_terminal:
        return "something else"
    return "ready" if sign.is_ready else "waiting"


def _exit_code(sign: Sign, cause: str) -> int:
    if sign.is_ready:
        return 0
    return AccountError.exit_code if sign.is_unverified or cause in ACCOUNT else TerminalUnavailable.exit_code


def _moment(seconds: object) -> str | None:
    if not isinstance(seconds, int | float) or not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def log_lines(config: Config, count: int) -> tuple[Path, list[str]]:
    """The Terminal's log, as we keep it: where, and its last lines."""
    _, port = local_port(config.terminal)
    place = place_of(config.terminal, port, remembered.state_folder())
    return place.log, last_lines(place.log, count)


def bring(config: Config, *, source: str, sha256: str, replace: bool) -> Fetched:
    """`terminal fetch`: the jar at `source`, to where `start` looks for it."""
    target = jar_path(config.terminal, Path.home())
    return asyncio.run(fetch(source, target, state_folder=remembered.state_folder(), expected=sha256, replace=replace))
