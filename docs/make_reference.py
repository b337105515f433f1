"""Writes the tables of docs/commands.md that come from the code: options, settings, events.

python docs/make_reference.py        between `<!-- table: NAME -->` and `<!-- end -->`; the prose around it stays
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import typer

from thetabulk.cli import app
from thetabulk.config import settings
from thetabulk.events import Event
from thetabulk.model import Asked, Collection, Empty, Failed, Refused, Saved
from thetabulk.report.jsonl import event_name

TARGET = Path(__file__).parent / "commands.md"
_TABLE = re.compile(r"(?P<begin><!-- table: (?P<name>[^>]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
_TOLD = {
    "shard_started": "A request for a day is on its way.",
    "bytes_received": "So many bytes more; summed up, and told once a second for each day.",
    "shard_finished": "A day has its outcome, with the fields below.",
    "limit_changed": "So many requests may be in flight now, and why.",
    "boundary_found": "Where data begin is known, or (`day` null) no longer true.",
    "resumed": "A pause is over.",
    "finished": "The last line.",
}
_OUTCOMES = {"saved": Saved, "empty": Empty, "refused": Refused, "failed": Failed}


def fresh(text: str) -> str:
    """The text with every table written anew. KeyError for the name of a table that there is not."""
    return _TABLE.sub(lambda found: f"{found['begin']}{_table(found['name'])}\n{found['end']}", text)


def leaves() -> dict[str, Any]:
    """Every command that can be typed, as `store info`, with what Typer knows of it."""
    root: Any = typer.main.get_command(app.build(""))
    found: dict[str, Any] = {}
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        found |= {f"{name} {sub}": each for sub, each in inner.items()} if inner else {name: command}
    return found


def flags(command: Any) -> list[str]:
    """How the options of a command are typed: `--from`, `-y`, `--yes`, …"""
    return [flag for each in command.params for flag in (*each.opts, *each.secondary_opts) if flag.startswith("-")]


def _table(name: str) -> str:
    if name == "settings":
        return "\n".join(_settings())
    if name == "events":
        return "\n".join(_events())
    if name == "outcomes":
        return "\n".join(_outcomes())
    return "\n".join(_options(leaves()[name.removeprefix("thetabulk ")]))


def _options(command: Any) -> Iterator[str]:
    yield "| option | |"
    yield "|---|---|"
    for each in command.params:
        typed = [flag for flag in (*each.opts, *each.secondary_opts) if flag.startswith("-")]
        if not typed or "--help" in typed:
            continue
        value = "" if getattr(each, "is_flag", False) else f" {each.metavar or each.name.upper()}"
        names = ", ".join(f"`{flag}`" for flag in typed[:-1])
        last = f"`{typed[-1]}{value}`".replace("|", "\\|")
        yield f"| {names}{', ' if names else ''}{last} | {_cell(each.help or '')} |"


def _settings() -> Iterator[str]:
    yield "| setting | default | |"
    yield "|---|---|---|"
    for name, each in settings().items():
        yield f"| `{name}` | {default_text(each.default)} | {_cell(each.rule.why)} |"


def default_text(value: object) -> str:
    """A setting's default as the table shows it."""
    if value in ("", None, ()):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _events() -> Iterator[str]:
    yield "| `event` | other fields | |"
    yield "|---|---|---|"
    for kind in get_args(Event):
        name = event_name(kind)
        told = _TOLD.get(name) or (kind.__doc__ or "").partition("\n")[0]
        yield f"| `{name}` | {', '.join(f'`{field}`' for field in told_fields(kind))} | {_cell(told)} |"


def told_fields(kind: Any) -> list[str]:
    """The fields of an event's JSON object, beside `event` and `at`; what a shard or collection says is spread out."""
    found: list[str] = []
    for each in fields(kind):
        if each.name in ("shard", "outcome"):
            found += [*_names(Collection), "day"]
        if each.name == "collection":
            found += _names(Collection)
        elif each.name != "shard":
            found.append(each.name)
    return found


def _names(kind: Any) -> list[str]:
    return [each.name for each in fields(kind)]


def _outcomes() -> Iterator[str]:
    yield "| `outcome` | fields |"
    yield "|---|---|"
    for name, kind in _OUTCOMES.items():
        own = [field for field in _names(kind) if field not in ("shard", "asked")]
        yield f"| `{name}` | {', '.join(f'`{field}`' for field in [*own, *_names(Asked)])} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Writes the file."""
    TARGET.write_text(fresh(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
