"""Writes docs/messages.md: every error that ends a command, and every kind of failed day, with what to do.

python docs/make_messages.py        the messages come from the source; what is to be said of codes and kinds is here
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from thetabulk import errors
from thetabulk.report.summary import meaning
from thetabulk.store import faults

PACKAGE = Path(errors.__file__).parent
TARGET = Path(__file__).parent / "messages.md"
NOT_OURS = ("simulator", "cli/simulate.py")  # it stands in for the vendor, and has words of its own

ADVICE = {
    1: "A mistake of ours, or a request that the Terminal calls wrong. Nothing is lost: run the same again, and if it "
    "comes back, please report it with what is told.",
    2: "Something was typed, set or chosen that cannot be: correct it, and run the same again. Nothing was asked for.",
    4: "Plug in the drive, or name the right one with `--store`. A run that was under way goes on by itself when the "
    "drive is back; otherwise `thetabulk resume`.",
    5: "Free some space. A run that was under way goes on by itself; otherwise `thetabulk resume`.",
    6: "See who owns the folder, and whether the drive is read-only; then `thetabulk resume`.",
    7: "See which account, subscription and session the Terminal has; then `thetabulk resume`.",
    8: "Start the Theta Terminal, or wait until it is connected; then `thetabulk resume`. `--wait` waits for it.",
    9: "Wait until the other run has ended, or stop it.",
    10: "`thetabulk verify --repair` fetches the day again, or takes it from a mirror with `--from DIR`.",
}
"""What to do where a message says no more: by exit code."""

PASSED_ON = {
    "assembly/recipes.py": "what is wrong with the jar",
    "assembly/terminals.py": "what the Terminal said before it ended",
    "cli/failure.py": "what is wrong with the command line, by the name of the option; or `internal error: …`",
    "cli/runs.py": "what the quick form of `thetabulk doctor` has found",
    "config.py": "what is wrong in the settings, all of it at once, each with where it was set",
    "store/volume.py": "what is wrong with the store's `thetabulk.json`",
}
"""Where an error is made whose words come from elsewhere."""

KINDS = {
    "asked-wrongly": ("The Terminal calls our request wrong (400, 404, 410, 473, 476).",
                      "Update thetabulk; three such days end the run."),
    "cut": ("The answer ended before its end.", "`thetabulk resume`"),
    "damaged": ("The stored file was not the recorded one, and was put aside.", "`thetabulk verify --repair`"),
    "day": ("A row was of another day.", "`thetabulk resume`; the Terminal answers something else."),
    "dropped": ("The connection broke.", "`thetabulk resume`"),
    "empty-body": ("An answer without a row. That is no \"no data\": the vendor has words for it.",
                   "`thetabulk resume`"),
    "field": ("A field could not be read.", "`thetabulk resume`; look at the evidence in `.thetabulk/quarantine`."),
    "header": ("The columns are not those that are known.",
               "Update thetabulk; `--schema-drift keep` allows a column more at the end."),
    "http-…": ("The Terminal answered with this status instead of data.", "`thetabulk resume`"),
    "incomplete": ("The whole answer came twice, and both times lacks something. It is kept aside.",
                   "Look at it with `thetabulk status --gaps`; `thetabulk accept SYMBOL --day D` keeps it."),
    "inexact": ("The file did not print back what was received; it was not kept.",
                "`thetabulk resume`; if it comes back, please report it."),
    "internal": ("A mistake of ours cost this day.", "`thetabulk resume`; please report it."),
    "missing": ("The recorded file is gone.", "`thetabulk verify --repair`"),
    "not-whole": ("A file without a record was not whole, and was put aside.", "`thetabulk resume`"),
    "oversize": ("The answer was larger than any day is.", "`thetabulk resume`; `fetch.body_ceiling_bytes` limits it."),
    "protocol": ("What came was not HTTP as it has to be.", "`thetabulk resume`; is it a Theta Terminal?"),
    "read-back": ("The drive gave back other bytes than were written.", "Look after the drive; `thetabulk resume`"),
    "row": ("A line was no row of this dataset.",
            "`thetabulk resume`; look at the evidence in `.thetabulk/quarantine`."),
    "slept": ("This machine slept while the answer came.", "Nothing: it is asked again."),
    "stalled": ("Nothing more came for too long.", "`thetabulk resume`"),
    "symbol": ("A row was of another symbol.", "`thetabulk resume`; the Terminal answers something else."),
    "text": ("Words came where data should be: a web page, or an error.",
             "`thetabulk resume`; look at the evidence in `.thetabulk/quarantine`."),
    "unconfirmed": ("A whole answer contradicts what is known, and has to come once more.",
                    "Nothing: it is asked again."),
    "unreachable": ("Nobody answered.", "Start the Theta Terminal, then `thetabulk resume`."),
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """What an error says, with `…` for what differs; `hint` is "" where it gives none. `source` is its file."""

    code: int
    what: str
    hint: str
    source: str


def kinds_of_errors() -> dict[str, Any]:
    """The classes of errors.py, and those that are made of them elsewhere, by name."""
    found = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    for _, node in _nodes():
        if isinstance(node, ast.ClassDef) and node.name not in found:
            above = [found[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in found]
            found.update((node.name, one) for one in above)
    return found


def messages() -> list[Message]:
    """Every message of a ThetabulkError in the source, and those of the table of the system's refusals."""
    known, found = kinds_of_errors(), set()
    for source, node in _nodes():
        kind = known.get(_called(node)) if isinstance(node, ast.Call) else None
        if kind is None or not issubclass(kind, errors.ThetabulkError) or not isinstance(node, ast.Call):
            continue
        what = _text(node.args[0]) if node.args else ""
        hint = next((_hint(source, word.value) for word in node.keywords if word.arg == "hint"), "")
        found.add(Message(kind.exit_code, what or PASSED_ON.get(source, ""), hint, source))
    for number in faults.NUMBERS:
        told = faults.describe(OSError(number, "…"), Path("…"), "linux")
        found.add(Message(told.exit_code, told.what, told.hint, "store/faults.py"))
    return sorted(found)


def failed_kinds() -> set[str]:
    """Every kind that a failed day may be recorded with."""
    known = kinds_of_errors()
    found: set[str] = set()
    for source, node in _nodes():
        if isinstance(node, ast.Call):
            name = _called(node)
            given = [word.value for word in node.keywords if word.arg == "kind"]
            kind = known.get(name)
            if kind is not None and issubclass(kind, errors.ShardError):
                found |= _words(given[0]) if given else {kind.kind} if name != "TerminalAnswer" else set()
            elif name == "Failed" and len(node.args) > 2:
                found |= _words(node.args[2])
            elif name == "quarantine":
                found |= {word for each in node.args[3:4] for word in _words(each)}
            elif ast.unparse(node.func) == "super().__init__" and source == "errors.py":
                found |= {word for each in given for word in _words(each)}
        elif isinstance(node, ast.Assign | ast.AnnAssign) and source in ("fetch/client.py", "fetch/fetcher.py"):
            target = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            if target == "kind" and node.value:
                found |= _words(node.value)
            elif target == "_KINDS" and node.value:
                found |= {
                    word for each in ast.walk(node.value) if isinstance(each, ast.Constant) for word in _words(each)
                }
    return found - {"failed"}  # what an error of no kind is called; nobody makes one that is recorded


def document() -> str:
    """The whole file."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Messages"
    yield ""
    yield "Written by `python docs/make_messages.py` from the source. `…` stands for what differs: a file, a day, …"
    yield "A command that fails says `thetabulk: error:` and one of these, with a `hint:` where there is more to say."
    found = messages()
    for code in sorted({one.code for one in found}):
        yield from ("", f"## Exit code {code}: {meaning(code).removeprefix('ended: ')}", "", ADVICE[code], "")
        yield from ("| message | what to do |", "|---|---|")
        told = {(one.what, one.hint) for one in found if one.code == code}
        yield from (f"| {_cell(what)} | {_cell(hint) or 'as above'} |" for what, hint in sorted(told))
    yield from ("", "## Days that failed", "")
    yield "A failed day ends nothing: the others go on. It is asked again in the same run, and by every `resume`."
    yield "`thetabulk status --gaps` lists it with its kind and what was last said. Exit code 3: some are left."
    yield from ("", "| kind | what has happened | what to do |", "|---|---|---|")
    yield from (f"| `{kind}` | {_cell(what)} | {_cell(advice)} |" for kind, (what, advice) in sorted(KINDS.items()))


@cache
def _nodes() -> tuple[tuple[str, ast.AST], ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.relative_to(PACKAGE).as_posix()
        if not source.startswith(NOT_OURS):
            found += [(source, node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return tuple(found)


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _text(node: ast.expr) -> str:
    """A text as it is written in the source, `…` for what is filled in; "" if none is written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.IfExp):
        return " or: ".join(filter(None, (_text(node.body), _text(node.orelse))))
    return ""


def _hint(source: str, node: ast.expr) -> str:
    """Also one that has a name: of the same file, or one for all."""
    if not isinstance(node, ast.Name):
        return _text(node)
    named = _named()
    return named.get((source, node.id)) or (named.get(("", node.id), "") if node.id.isupper() else "")


@cache
def _named() -> dict[tuple[str, str], str]:
    found = {}
    for source, node in _nodes():
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and (text := _text(node.value)):
            found[source, node.targets[0].id] = found["", node.targets[0].id] = text
    return found


def _words(node: ast.expr) -> set[str]:
    return set(filter(None, (re.sub("…+", "…", text) for text in _text(node).split(" or: "))))


def _cell(text: str) -> str:
    return " ".join(re.sub("…(…| …)*", "…", text).split()).replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    """Writes the file."""
    TARGET.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
