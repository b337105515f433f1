"""The workflow for macOS and Windows runs elsewhere, seldom: here it is seen that what it names exists."""

import re
import tomllib
from pathlib import Path

import pytest

from docs import make_reference

ROOT = Path(__file__).parent.parent
WORKFLOW = (ROOT / ".github" / "workflows" / "other-systems.yml").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ +thetabulk (.+?)(?: &)?$", WORKFLOW, re.MULTILINE)


def test_it_is_written_as_yaml_wants_it() -> None:
    """No tabs, nothing behind a line, and steps of two blanks."""
    for line in WORKFLOW.splitlines():
        assert line == line.rstrip()
        assert "\t" not in line
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0


def test_every_python_that_is_promised_is_run_on_both() -> None:
    """Those of pyproject.toml's classifiers, and whatever is newer."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = {found[1] for one in project["classifiers"] if (found := re.search(r":: (3\.\d+)$", one))}
    runs = re.findall(r"python: \[(.*)\]", WORKFLOW)
    assert len(runs) == 2
    for run in runs:
        assert promised <= set(re.findall(r"3\.\d+", run))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_it_is_one_of_ours(command: str) -> None:
    """With its options."""
    name, *words = command.split()
    known = make_reference.flags(make_reference.leaves()[name])
    assert {word for word in words if word.startswith("--")} <= {*known}


def test_every_file_it_names_is_there() -> None:
    """A test or script that was moved would be missed only on a machine that nobody has."""
    named = re.findall(r"\b(?:tests|thetabulk|docs)/[\w./-]+", re.sub(r"--basetemp=\S+", "", WORKFLOW))
    assert named
    for one in named:
        path = one.removesuffix("/**").rstrip("/")
        assert (ROOT / path).exists()
