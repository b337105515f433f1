"""What is said about a Terminal that is not well: what happened, and what to do. Pure."""

from collections.abc import Sequence

from thetabulk.terminal.causes import Cause, Seen, ended
from thetabulk.terminal.listeners import Listener, Program

_TOLD_LINES = 3
_NEVER_OURS = "thetabulk signals only what it has started"


def explain(
    cause: Cause, *, seen: Seen, code: int | None, port: int, waited_s: float, owners: Sequence[Listener] = (),
    suspects: Sequence[Program] = (), tail: Sequence[str] = (),
) -> tuple[str, str]:  # fmt: skip
    """The sentence, and the hint."""
    match cause:
        case Cause.CREDENTIALS:
            return (
                "the vendor refuses the credentials of the Terminal",
                "line 1 of the credentials file is the e-mail address, line 2 the password; no other login was tried",
            )
        case Cause.SESSION:
            return "another login has taken the account's one session", _session_hint(suspects)
        case Cause.PORT:
            return f"port {port} is taken by {owners_text(owners)}", _port_hint(owners)
        case Cause.MEMORY:
            return (
                "the Terminal ran out of memory",
                "give Java more with terminal.java_options (-Xmx4g), less than the machine has; or fewer --workers",
            )
        case Cause.RATE:
            return "the vendor has had too many requests or logins from this account", "nothing to do but wait"
        case Cause.HANG:
            return f"the Terminal has given no sign of life for {waited_s:.0f} s", seen.hint
        case Cause.LATE:
            return _late(seen, port, waited_s, tail), seen.hint or "thetabulk terminal logs"
        case Cause.EXIT:
            return f"the Terminal has ended: {ended(code)}{_quoted(tail)}", seen.hint or "thetabulk terminal logs"
        case Cause.ASKED:
            return "the Terminal is restarted, as asked", ""


def owners_text(owners: Sequence[Listener]) -> str:
    """Who has the port: pid, command, since when and whose, as far as the system tells."""
    programs = list(dict.fromkeys(owner.program for owner in owners if owner.program))
    if programs:
        return "; ".join(program_text(program) for program in programs)
    return "a program that the system names to root only" if owners else "nobody any more"


def program_text(program: Program) -> str:
    since = f", since {program.started:%Y-%m-%d %H:%M} UTC" if program.started else ""
    return f"pid {program.pid} ({program.command}{since}{f', {program.user}' if program.user else ''})"


def _session_hint(suspects: Sequence[Program]) -> str:
    here = "; ".join(program_text(program) for program in suspects)
    local = f"on this machine it could be {here}" if here else "on this machine nothing looks like one"
    return (
        "another Terminal or Python session with this account is running, maybe on another computer: stop it. "
        f"{local[0].upper()}{local[1:]}"
    )


def _port_hint(owners: Sequence[Listener]) -> str:
    if not any(owner.program for owner in owners) and owners:
        return f"`sudo lsof -i :{owners[0].port}` names it; {_NEVER_OURS}"
    return f"stop it, or use another port (--url); {_NEVER_OURS}"


def _late(seen: Seen, port: int, waited_s: float, tail: Sequence[str]) -> str:
    if seen.port is not None and seen.port != port:
        return f"the Terminal says that it listens on port {seen.port}, and is asked at {port} (its config.toml, --url)"
    return f"the Terminal did not answer within {waited_s:.0f} s of its start{_quoted(tail)}"


def _quoted(tail: Sequence[str]) -> str:
    said = [line.strip() for line in tail if line.strip()][-_TOLD_LINES:]
    return f"; it said last: {' / '.join(said)}" if said else "; it said nothing"
