"""What a setting is: its kind, its limits, and how it is read from a flag, the environment or a TOML value.

Pure: text and values in, values and problems out. Which settings there are is said in config.py.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from typing import Any, get_type_hints

Check = Callable[[str], object]
_RULE = "rule"
_PREFIX = "THETABULK_"
_YES_NO = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_UNIT_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_WEBHOOK = re.compile(r"https?://[^\s/?#@]+(?:[/?][^\s#]*)?", re.IGNORECASE)
_DURATION = re.compile(r"(?:(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[smhd]?)\s*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """Why a setting exists, and which values it may have. `key` and `flag` where they differ from the field's name.
    A `secret` value is shown to nobody; one that is `at_home` names a program, a file of secrets or a host, and is not
    taken from a config file that travels on another drive."""

    why: str
    least: float | None = None
    choices: tuple[str, ...] = ()
    check: Check | None = None
    key: str = ""
    flag: str = ""
    example: str = ""
    secret: bool = False
    at_home: bool = False


def setting(default: Any, why: str, **rule: Any) -> Any:
    """A dataclass field that knows its reason and its limits; `rule` are the fields of Rule."""
    return field(default=default, metadata={_RULE: Rule(why, **rule)})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `name` is `fetch.launch_gap_s`, `kind` its type, `default` what it is if nobody says otherwise."""

    name: str
    section: str
    field: str
    kind: Any
    default: object
    rule: Rule

    @property
    def key(self) -> str:
        return self.name.split(".")[1]

    @property
    def variable(self) -> str:
        return f"{_PREFIX}{self.name.replace('.', '_').upper()}"

    @property
    def flag(self) -> str:
        return self.rule.flag or "--" + self.key.removesuffix("_s").replace("_", "-")


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody gave it: `shown` is how it stands there, `origin` is where. `text`: text is all there is."""

    name: str
    raw: object
    origin: str
    shown: str
    text: bool = True


def catalogue(sections: Mapping[str, type]) -> dict[str, Setting]:
    """Every setting of these dataclasses by its dotted name, in their order."""
    found = {}
    for section, kind in sections.items():
        hints = get_type_hints(kind)
        for each in fields(kind):
            rule = each.metadata[_RULE]
            name = f"{section}.{rule.key or each.name}"
            found[name] = Setting(name, section, each.name, hints[each.name], each.default, rule)
    return found


def read(setting: Setting, raw: object, *, text: bool) -> object:
    """The value of a setting, from what was given; ValueError says what is wrong with it."""
    value = _parse(setting, raw.strip()) if isinstance(raw, str) and (text or _is_textual(setting)) else raw
    if isinstance(value, list) and setting.kind == tuple[str, ...]:
        value = tuple(value)
    if setting.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    _check_kind(setting, value)
    _check_limits(setting, value)
    return value


def duration_s(text: str) -> float:
    """`duration_s("1h30m")` is 5400.0; a bare number is seconds. ValueError otherwise."""
    parts = list(_DURATION.finditer(text))
    if (
        not parts
        or "".join(part[0] for part in parts) != text
        or (len(parts) > 1 and not all(p["unit"] for p in parts))
    ):
        raise ValueError("is not a duration; write it like 90s, 15m or 2h")
    return sum(float(part["number"]) * _UNIT_S[part["unit"]] for part in parts)


def clock_time(text: str) -> time:
    """`clock_time("07:30")`; ValueError if it is no time of day."""
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a wall clock's time has no zone
    except ValueError:
        raise ValueError("is not a time of day; write it like 07:30") from None


def webhook_url(text: str) -> str:
    """`https://host/path`; ValueError, which does not repeat it, if it is none."""
    if not _WEBHOOK.fullmatch(text):
        raise ValueError("is not a URL; write it like https://example.org/hook")
    return text


def nearest(word: str, names: Iterable[str] | Mapping[str, str]) -> str:
    """`; did you mean a or b?`, or nothing if no name is near. A mapping says how each name is told."""
    from difflib import get_close_matches

    told = names if isinstance(names, Mapping) else {name: name for name in names}
    near = [told[name] for name in get_close_matches(word, list(told), n=2, cutoff=0.7)]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def from_tables(tables: Mapping[str, object], origin: str, known: Iterable[str]) -> Iterator[Given | str]:
    """The settings of a parsed TOML file, and in between a problem for every key that is none."""
    names = list(known)
    sections = {name.split(".")[0] for name in names}
    for section, table in tables.items():
        if section not in sections:
            yield f"[{section}] in {origin} is not a section{nearest(section, sections)}"
        elif not isinstance(table, dict):
            yield f"{section} in {origin} must be a section: [{section}]"
        else:
            for key, raw in table.items():
                name = f"{section}.{key}"
                if name in names:
                    yield Given(name, raw, f"file {origin}", f"{name} = {_as_toml(raw)} in {origin}", text=False)
                else:
                    keys = {name.split(".")[1]: name for name in names}  # perhaps it is right, but in another section
                    yield f"{name} in {origin} is not a setting{nearest(key, keys)}"


def from_environment(env: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[Given | str]:
    """The settings in the environment; `variables` maps a variable's name to the setting's. An empty one is unset."""
    short = {variable.removeprefix(_PREFIX): variable for variable in variables}
    seen: dict[str, str] = {}
    for variable in sorted(env):
        raw = env[variable]
        if variable.startswith(_PREFIX) and raw:
            if variable not in variables:
                near = nearest(variable.removeprefix(_PREFIX), short)
                yield f"{variable} in the environment is not a setting{near}"
                continue
            other = seen.setdefault(variables[variable], variable)
            if env[other] != raw:
                yield f"{variable}={raw}: {other}={env[other]} says something else"
            yield Given(variables[variable], raw, f"environment {variable}", f"{variable}={raw}")


def _parse(setting: Setting, text: str) -> object:
    kind = setting.kind
    if kind is bool:
        return _YES_NO.get(text.lower(), text)
    if kind is float:
        return duration_s(text) if setting.field.endswith("_s") else _number(float, text)
    if kind in (int, int | None):
        return _number(int, text)
    if kind == date | None:
        return _date(text)
    if kind == tuple[str, ...]:
        return tuple(text.replace(",", " ").split())
    return text


def _is_textual(setting: Setting) -> bool:
    """In TOML a number is a number; but dates and durations are often written as text, and that is fine."""
    return setting.kind == date | None or (setting.kind is float and setting.field.endswith("_s"))


def _number(kind: Callable[[str], object], text: str) -> object:
    try:
        return kind(text)
    except ValueError:
        return text  # told by _check_kind, like a TOML value of the wrong type


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date; write it like 2016-08-04") from None


def _check_kind(setting: Setting, value: object) -> None:
    kind = setting.kind
    if kind in (int, int | None, float):
        good = isinstance(value, int | float if kind is float else int) and not isinstance(value, bool)
        expected = "a number" if kind is float else "a whole number"
    elif kind == date | None:
        good, expected = isinstance(value, date) and not isinstance(value, datetime), "a date"
    elif kind is bool:
        good, expected = isinstance(value, bool), "true or false"
    elif kind == tuple[str, ...]:
        good = isinstance(value, tuple) and all(isinstance(part, str) for part in value)
        expected = "a list of names"
    else:
        good, expected = isinstance(value, str), "text"
    if not good:
        raise ValueError(f"is not {expected}")


def _check_limits(setting: Setting, value: object) -> None:
    rule = setting.rule
    if rule.least is not None and isinstance(value, int | float) and not value >= rule.least:  # so that nan fails
        raise ValueError(f"must be at least {rule.least:g}")
    if isinstance(value, float) and value == float("inf"):
        raise ValueError("is not a number")
    if rule.choices and value not in rule.choices:
        raise ValueError(f"is none of {', '.join(rule.choices)}")
    for part in value if isinstance(value, tuple) else (value,):
        if rule.check and isinstance(part, str) and part:
            rule.check(part)


def _as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_as_toml(part) for part in value) + "]"
    return str(value)


def as_toml(settings: Iterable[Setting], sections: Mapping[str, str]) -> str:
    """A TOML file that says every setting with its default and its reason; `sections` gives each section's sentence.

    A setting without a default stands there as a comment, with an example.
    """
    from textwrap import wrap

    lines: list[str] = []
    section = ""
    for each in settings:
        if each.section != section:
            section = each.section
            lines += ["", f"# {sections[section]}", f"[{section}]"]
        lines += [f"# {line}" for line in wrap(each.rule.why, 110)]
        if each.default in (None, ()):
            lines.append(f"# {each.key} = {each.rule.example}")
        else:
            lines.append(f"{each.key} = {_as_toml(each.default)}")
    return "\n".join(lines).lstrip("\n") + "\n"
