"""What `doctor` has found, as lines for people and as JSON. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from textwrap import wrap

from thetabulk.errors import worst
from thetabulk.redaction import without_secrets
from thetabulk.report.units import printable, shorten


class Level(StrEnum):
    """How bad it is. UNKNOWN: this system does not tell, or not without more rights; that is no reason for alarm."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARN = "warn"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found and what it means in `text`, what to do in `advice`, what to type in `command`.

    Made by the functions below, which take out of a text what looks like a secret: it may repeat foreign words.
    `code` is the exit code that a problem asks for; the other levels ask for none.
    """

    check: str
    level: Level
    text: str
    advice: str = ""
    command: str = ""
    code: int = 0


def ok(check: str, text: str) -> Finding:
    return Finding(check, Level.OK, without_secrets(text))


def unknown(check: str, text: str, advice: str = "", command: str = "") -> Finding:
    return Finding(check, Level.UNKNOWN, without_secrets(text), advice, command)


def warn(check: str, text: str, advice: str = "", command: str = "") -> Finding:
    return Finding(check, Level.WARN, without_secrets(text), advice, command)


def problem(check: str, text: str, advice: str = "", command: str = "", *, code: int) -> Finding:
    return Finding(check, Level.PROBLEM, without_secrets(text), advice, command, code)


def exit_code(findings: Iterable[Finding]) -> int:
    """0, or the exit code that comes first among those of the problems (errors.worst)."""
    return worst(finding.code for finding in findings if finding.level is Level.PROBLEM)


def document(findings: Sequence[Finding], seconds: float) -> dict[str, object]:
    """`{"findings": [{"check", "level", "text", "advice", "command"}], "seconds", "exit_code"}`."""
    rows = [{name: value for name, value in asdict(each).items() if name != "code"} for each in findings]
    return {"findings": rows, "seconds": round(seconds, 2), "exit_code": exit_code(findings)}


def lines(
    findings: Sequence[Finding], *, quiet: bool = False, whole: bool = False, width: int = 80
) -> list[str]:  # fmt: skip
    """The findings, in their order, and a last line that counts them; only what is not ok if `quiet`.

    What is ok has one line, cut in its middle unless `whole` is wanted. Other texts are wrapped; a command stands on a
    line of its own and is never broken, so that it can be copied.
    """
    shown = [each for each in findings if not (quiet and each.level is Level.OK)]
    column = max((len(each.check) for each in shown), default=0)
    told = [line for each in shown for line in _drawn(each, column, width, whole)]
    return [*told, *([""] if told else []), _count(findings)]


def _drawn(finding: Finding, column: int, width: int, whole: bool) -> list[str]:
    head = f"{finding.level.ljust(7)}  {finding.check.ljust(column)}  "
    indent = " " * len(head)
    room = max(width - len(head), 20)
    if finding.level is Level.OK and not whole:
        return [f"{head}{shorten(finding.text, room)}"]
    texts = [printable(text) for text in (finding.text, finding.advice) if text]
    parts = [part for text in texts for part in wrap(text, room, break_long_words=False, break_on_hyphens=False)]
    if finding.command:
        parts.append(f"type: {printable(finding.command)}")
    return [f"{head if number == 0 else indent}{part}" for number, part in enumerate(parts)]


def _count(findings: Sequence[Finding]) -> str:
    """`1 problem · 2 warnings · 15 ok`."""
    counts = {level: sum(each.level is level for each in findings) for level in Level}
    many = {Level.PROBLEM: "problems", Level.WARN: "warnings"}
    one = {Level.PROBLEM: "problem", Level.WARN: "warning"}
    parts = [
        f"{counts[level]} {(one if counts[level] == 1 else many).get(level, level)}"
        for level in (Level.PROBLEM, Level.WARN, Level.UNKNOWN, Level.OK)
        if counts[level]
    ]
    return " · ".join(parts) or "nothing was checked"
