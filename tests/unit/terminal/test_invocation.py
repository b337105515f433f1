"""What a command line says about a Terminal's files."""

import os
from pathlib import Path

import pytest

from thetabulk.terminal import invocation
from thetabulk.terminal.invocation import read

HOME = Path("/home/jo")


@pytest.mark.parametrize(
    ("line", "jar", "credentials"),
    [
        ("java -jar ThetaTerminalv3.jar", "/home/jo/ThetaTerminalv3.jar", None),
        ("java -Xmx2g -jar /opt/T.jar --creds-file my.txt", "/opt/T.jar", "/home/jo/my.txt"),
        ("java -jar T.jar --creds-file=/run/secrets/theta", "/home/jo/T.jar", "/run/secrets/theta"),
        ("java -jar", None, None),
        ("java -jar T.jar --creds-file", "/home/jo/T.jar", None),
        ("/usr/bin/python -m thetabulk.simulator", None, None),
    ],
)
def test_files_are_read_from_a_command_line(line: str, jar: str | None, credentials: str | None) -> None:
    """As absolute paths, from the folder in which it runs."""
    found = read(line.split(), HOME)
    assert (found.jar, found.credentials) == (jar and Path(jar), credentials and Path(credentials))


@pytest.mark.parametrize(
    "line", ["java -jar T.jar --api-key td1_x", "java -jar T.jar --api-key=td1_x", "java -jar T.jar --apikey x"]
)
def test_a_key_in_a_command_line_is_seen(line: str) -> None:
    """And not kept."""
    found = read(line.split(), HOME)
    assert found.shows_key
    assert "td1_x" not in repr(found)


def test_a_path_called_after_a_key_is_none() -> None:
    """Only the option counts."""
    assert not read(["java", "-jar", "/home/jo/api-key/T.jar"], HOME).shows_key


def test_where_the_folder_is_not_told_paths_stay_as_they_are() -> None:
    """Relative to nobody knows what."""
    assert read(["java", "-jar", "T.jar"], None).jar == Path("T.jar")


def test_a_process_is_asked() -> None:
    """This one: no Terminal, in its folder. One that is gone says nothing."""
    found = invocation.of_process(os.getpid())
    assert found is not None
    assert (found.folder, found.shows_key) == (Path.cwd(), False)
    assert invocation.of_process(2_000_000_000) is None


def test_a_family_is_a_process_and_those_it_was_started_by() -> None:
    """The bootstrapper is no second Terminal."""
    assert {os.getpid(), os.getppid()} <= invocation.ancestry(os.getpid())
    assert invocation.ancestry(2_000_000_000) == {2_000_000_000}
