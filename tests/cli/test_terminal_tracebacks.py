"""Mistakes of ours in `thetabulk terminal …`: the traceback that a person may send to us names no secret."""

import sys
from pathlib import Path

import pytest

from tests.integration.commands import process

CANARIES = ("canary-key-7", "canary-password-7", "canary-token-7")
SECRETS = {
    "THETADATA_API_KEY": CANARIES[0],
    "MY_PASSWORD": CANARIES[1],
    "STARTED_BY_TOKEN": CANARIES[2],
}
FAILING = (
    f"SECRETS = {tuple(SECRETS)!r}\n"
    "import os, sys\n"
    "from thetabulk.assembly import terminal_commands, terminals\n"
    "def fail(*_, **__):\n"
    "    raise ValueError({name: os.environ[name] for name in SECRETS})\n"
    "terminal_commands.place_of = terminals.place_of = terminal_commands.fetch = fail\n"
    "from thetabulk.cli.app import main\n"
    "sys.exit(main())\n"
)
COMMANDS = ("start", "start --foreground", "restart", "stop", "status", "logs", "fetch")


@pytest.mark.parametrize("verbose", [True, False], ids=["shown", "kept"])
@pytest.mark.parametrize("words", COMMANDS)
def test_a_traceback_of_a_terminal_command_has_no_secret(tmp_path: Path, words: str, verbose: bool) -> None:
    """The error carries the whole environment, key and all: the names are told, what they say is not."""
    arguments = ("terminal", *words.split(), *(["-v"] if verbose else []))
    command = (sys.executable, "-c", FAILING)
    with process(*arguments, home=tmp_path / "home", command=command, **SECRETS) as running:  # type: ignore[arg-type]
        done = running.ended()
    assert done.code == 1, done.told
    kept = "".join(file.read_text() for file in tmp_path.rglob("*") if file.is_file() and file.suffix != ".stderr")
    trace = done.err if verbose else kept
    assert "Traceback (most recent call last)" in trace
    assert "in fail" in trace
    assert all(name in trace for name in SECRETS)
    assert not any(canary in done.told + kept for canary in CANARIES)
