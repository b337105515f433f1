"""The command line: help at once, one boundary for errors, exit codes as documented."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import typer

from thetabulk import __version__, config, state
from thetabulk.cli import app
from thetabulk.cli.options import JsonOption, VerboseOption
from thetabulk.errors import AccountError, DiskFull, DriveGone, UsageError

HEAVY = {"aiohttp", "asyncio", "duckdb", "numpy", "pandas", "pyarrow", "rich", "tenacity", "xxhash", "zstandard"}


@pytest.fixture(autouse=True)
def no_files_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Config and state are looked for in a folder of the test."""
    monkeypatch.setattr(config, "user_file", lambda: tmp_path / "config" / "config.toml")
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path / "state")


def doing(action: Callable[[], object]) -> Callable[[str], Any]:
    """A loader whose every command does this."""

    def command(json: JsonOption = False, verbose: VerboseOption = False) -> object:
        return action()

    return lambda name: SimpleNamespace(command=command)


def raising(*errors: BaseException) -> Callable[[str], Any]:
    """A loader whose every command fails like this; several errors come as a TaskGroup brings them."""

    def fail() -> NoReturn:
        raise errors[0] if len(errors) == 1 else BaseExceptionGroup("unhandled errors in a TaskGroup", list(errors))

    return doing(fail)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter, as a shell starts it."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Name and sentence of each, and exit code 0; no argument at all is a cry for help too."""
    assert app.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, summary in app.COMMANDS.items():
        assert f"{name:<10}{summary}" in shown
    assert app.main([]) == 0
    assert capsys.readouterr().out == shown


def test_help_imports_nothing_heavy() -> None:
    """`thetabulk --help` loads Typer and a table, no command and none of the libraries."""
    code = (
        "import sys; from thetabulk.cli.app import main; code = main(['--help'])\n"
        "print(code, *sorted(sys.modules), file=sys.stderr)"
    )
    exit_code, *modules = python(code).stderr.split()
    assert exit_code == "0"
    assert HEAVY & set(modules) == set()
    assert {name for name in modules if name.startswith("thetabulk")} == {
        "thetabulk",
        "thetabulk.cli",
        "thetabulk.cli.app",
        "thetabulk.cli.failure",
        "thetabulk.errors",
        "thetabulk.redaction",
    }


@pytest.mark.parametrize("name", app.COMMANDS)
def test_every_command_has_help_at_once(name: str) -> None:
    """Its help begins as the list of commands says, and showing it imports nothing heavy."""
    code = (
        "import sys; from thetabulk.cli.app import main; code = main([sys.argv[1], '--help'])\n"
        "print(code, *sorted(sys.modules), file=sys.stderr)"
    )
    done = python(code, name)
    exit_code, *modules = done.stderr.split()
    assert exit_code == "0"
    assert HEAVY & set(modules) == set()
    assert app.COMMANDS[name] in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", app.COMMANDS)
def test_every_command_says_what_the_table_says(name: str) -> None:
    """The first line of a command's docstring is its line in the list."""
    module = app.load(name)
    if not hasattr(module, "app"):
        assert (inspect.getdoc(module.command) or "").splitlines()[0] == app.COMMANDS[name]


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """`thetabulk --version`."""
    assert app.main(["--version"]) == 0
    assert capsys.readouterr().out == f"thetabulk {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["staus"], "No such command 'staus'. Did you mean 'status'?", "thetabulk --help"),
        (["status", "--nope"], "No such option: --nope", "thetabulk status --help"),
        (["--nope"], "No such option: --nope", "thetabulk --help"),
        (["status", "more"], "Got unexpected extra argument(s) (more)", "thetabulk status --help"),
    ],
)
def test_a_mistyped_command_line_is_exit_code_2(
    arguments: list[str], error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong, and which help helps; nothing on stdout."""
    assert app.main(arguments, load=doing(lambda: 0)) == 2
    assert capsys.readouterr() == ("", f"thetabulk: error: {error}\nhint: {hint}\n")


@pytest.mark.parametrize(("returned", "code"), [(0, 0), (3, 3), (11, 11), (None, 0)])
def test_what_a_command_returns_is_the_exit_code(returned: int | None, code: int) -> None:
    """A command that returns nothing has succeeded."""
    assert app.main(["status"], load=doing(lambda: returned)) == code


def test_an_error_is_told_with_its_hint_and_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """To stderr, in two lines."""
    failing = raising(DriveGone("the drive /Volumes/T7 is not there", hint="plug it in"))
    assert app.main(["status"], load=failing) == 4
    assert capsys.readouterr() == ("", "thetabulk: error: the drive /Volumes/T7 is not there\nhint: plug it in\n")


def test_with_json_an_error_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads stdout; the person who looks at its log reads stderr."""
    assert app.main(["status", "--json"], load=raising(AccountError("session taken", hint="end the other"))) == 7
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": "session taken", "hint": "end the other", "exit_code": 7}
    assert err == "thetabulk: error: session taken\nhint: end the other\n"


def test_of_several_errors_the_worst_decides(capsys: pytest.CaptureFixture[str]) -> None:
    """A TaskGroup brings them together, nested and twice: each is told once, the JSON is about the worst."""
    errors = (DiskFull("no room"), ExceptionGroup("inner", [DriveGone("gone"), DiskFull("no room")]))
    assert app.main(["status", "--json"], load=raising(*errors)) == 4
    out, err = capsys.readouterr()
    assert err == "thetabulk: error: no room\nthetabulk: error: gone\n"
    assert json.loads(out)["error"] == "gone"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_ctrl_c_is_exit_code_130(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word: who pressed it knows."""
    assert app.main(["status"], load=raising(error)) == 130
    assert app.main(["status"], load=raising(error, DiskFull("no room"))) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_mistake_of_ours_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for the person, the traceback in a file, and no password in either."""
    assert app.main(["status"], load=raising(KeyError("http://me:secret@host/?password=hunter2"))) == 1
    kept = tmp_path / "state" / "traceback.txt"
    err = capsys.readouterr().err
    assert err == (
        "thetabulk: error: internal error: KeyError: 'http://…@host/?password=…\n"
        f"hint: this is a mistake in thetabulk; its traceback is in {kept}\n"
    )
    assert "Traceback" in kept.read_text()
    assert "secret" not in kept.read_text() + err
    assert "hunter2" not in kept.read_text() + err


def test_verbose_shows_the_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, and in no file."""
    assert app.main(["status", "-v"], load=doing(lambda: 1 // 0)) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last)")
    assert err.endswith("thetabulk: error: internal error: ZeroDivisionError: integer division or modulo by zero\n")
    assert not (tmp_path / "state").exists()


def test_a_closed_pipe_ends_silently() -> None:
    """`thetabulk status | head`: no traceback, and the code that a program killed by SIGPIPE has."""
    code = "import sys; from thetabulk.cli.app import main; sys.exit(main(['config', 'show', '--defaults']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_config_show_says_where_each_setting_comes_from(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """As a table, and as JSON."""
    file = tmp_path / "my.toml"
    file.write_text("[fetch]\nattempts = 7\n")
    assert app.main(["config", "show", "--config", str(file)]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert rows["fetch.attempts"] == ["7", "file", str(file)]
    assert rows["terminal.tier"] == ["–", "default"]
    assert app.main(["config", "show", "--config", str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["file"] == str(file)
    assert document["settings"]["fetch.attempts"] == {"value": 7, "from": f"file {file}"}
    assert document["settings"]["screen.json"] == {"value": True, "from": "flag --json"}


def test_config_init_writes_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The default file, never over another one; `config path` finds it."""
    assert app.main(["config", "path"]) == 0
    assert capsys.readouterr().err == "it does not exist; `thetabulk config init` writes it\n"
    assert app.main(["config", "init"]) == 0
    file = tmp_path / "config" / "config.toml"
    assert file.read_text(encoding="utf-8") == config.default_file()
    assert app.main(["config", "path", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"path": str(file), "exists": True}
    assert app.main(["config", "init"]) == 2
    assert f"{file} exists already" in capsys.readouterr().err
    assert app.main(["config", "init", "--config", str(tmp_path / "absent" / "my.toml")]) == 2
    assert f"the folder {tmp_path / 'absent'} does not exist" in capsys.readouterr().err


def test_all_problems_of_the_settings_are_one_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A broken file and a broken variable together, and exit code 2."""
    monkeypatch.setenv("THETABULK_WORKERS", "12-3")
    file = tmp_path / "my.toml"
    file.write_text("[fetch]\nattemps = 7\n")
    assert app.main(["config", "show", "--config", str(file)]) == UsageError.exit_code
    assert capsys.readouterr().err == (
        "thetabulk: error: 2 problems in the settings:\n"
        f"  fetch.attemps in {file} is not a setting; did you mean fetch.attempts?\n"
        "  THETABULK_WORKERS=12-3: the range runs backwards; did you mean 3-12?\n"
        "hint: every setting with its reason: thetabulk config show --defaults\n"
    )
