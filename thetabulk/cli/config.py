"""`thetabulk config show|init|path`: the settings as resolved, a config file to start from, where it is looked for."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from thetabulk import config
from thetabulk.cli import output
from thetabulk.cli.options import ConfigOption, JsonOption, resolve
from thetabulk.config import Resolved
from thetabulk.errors import NotPermitted, UsageError
from thetabulk.redaction import without_secrets

app = typer.Typer(rich_markup_mode=None)


@app.command()
def show(
    file: ConfigOption = None,
    json: JsonOption = False,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="The defaults instead, with their reasons, as a config file.")
    ] = False,
) -> int:
    """Every setting, its value, and where it comes from."""
    if defaults:
        typer.echo(config.default_file(), nl=False)
        return 0
    resolved = resolve(file, {"screen.json": json})
    if resolved.config.screen.json:
        output.tell_json(_document(resolved))
    else:
        output.tell(_as_lines(resolved))
    return 0


@app.command()
def init(file: ConfigOption = None, json: JsonOption = False) -> int:
    """Write a config file with every default and its reason; an existing file is never overwritten."""
    target = file or config.user_file()
    try:
        if file is None:
            target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as stream:
            stream.write(config.default_file())
    except FileExistsError as error:
        raise UsageError(f"{target} exists already", hint="edit it, or name another file with --config") from error
    except FileNotFoundError as error:
        raise UsageError(f"the folder {target.parent} does not exist", hint="create it first") from error
    except OSError as error:
        raise NotPermitted(f"{target} cannot be written: {error.strerror}") from error
    _tell_path(target, as_json=json)
    return 0


@app.command()
def path(file: ConfigOption = None, json: JsonOption = False) -> int:
    """Where the config file is looked for."""
    _tell_path(config.find_file(file, config.environment()) or config.user_file(), as_json=json)
    return 0


def _tell_path(file: Path, *, as_json: bool) -> None:
    if as_json:
        output.tell_json({"path": str(file), "exists": file.is_file()})
        return
    output.tell([str(file)])
    output.remark([] if file.is_file() else ["it does not exist; `thetabulk config init` writes it"])


def _document(resolved: Resolved) -> dict[str, object]:
    settings = {
        name: {"value": _value(resolved, name), "from": origin} for name, origin in sorted(resolved.origin.items())
    }
    return {"file": str(resolved.file) if resolved.file else None, "settings": settings}


def _as_lines(resolved: Resolved) -> list[str]:
    from thetabulk.report.tables import columns

    rows = [[name, _shown(_value(resolved, name)), origin] for name, origin in resolved.origin.items()]
    return columns(["setting", "value", "from"], rows, left=range(3))


def _value(resolved: Resolved, name: str) -> object:
    """A URL may have a password in it, and this is what people show around."""
    value = resolved.value(name)
    if value and config.settings()[name].rule.secret:
        return "(set, not shown)"
    return without_secrets(value) if isinstance(value, str) else value


def _shown(value: object) -> str:
    match value:
        case None | () | "":
            return "–"
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)
