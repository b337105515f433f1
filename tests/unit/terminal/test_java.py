"""Which Java is found, and what is said of one that does not do."""

from pathlib import Path

import pytest

from thetabulk.terminal.java import NEEDED, Java, find, look

OPENJDK = 'openjdk version "{0}" 2025-04-15\\nOpenJDK Runtime Environment'


def java_that(folder: Path, script: str, name: str = "java") -> Path:
    """A program called java that runs this shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def java_of(folder: Path, version: str) -> Path:
    return java_that(folder, f"printf '{OPENJDK.format(version)}\\n' >&2")


@pytest.mark.parametrize(
    ("said", "version"), [("1.8.0_391", 8), ("17.0.15", 17), ("21", 21), ("25-ea", 25), ("21.0.3+9", 21)]
)
def test_the_major_version_is_read_as_java_writes_it(tmp_path: Path, said: str, version: int) -> None:
    """Java 8 calls itself 1.8; later ones say their number first."""
    found = look(java_of(tmp_path, said))
    assert (found.version, found.is_enough()) == (version, version >= NEEDED)
    assert found.text.startswith("openjdk version")


def test_tool_options_before_the_version_do_not_matter(tmp_path: Path) -> None:
    """JAVA_TOOL_OPTIONS makes Java print a line first; it may hold anything, and is not repeated."""
    path = java_that(
        tmp_path, "echo 'Picked up JAVA_TOOL_OPTIONS: -Dpassword=canary' >&2; echo 'openjdk version \"21.0.1\"' >&2"
    )
    assert look(path) == Java(path, 21, 'openjdk version "21.0.1"')


def test_a_java_without_a_java_behind_it_says_so(tmp_path: Path) -> None:
    """macOS's /usr/bin/java is such a stub."""
    path = java_that(tmp_path, "echo 'Unable to locate a Java Runtime.' >&2; exit 1")
    assert look(path) == Java(path, None, "Unable to locate a Java Runtime.")


def test_a_java_that_hangs_is_given_up(tmp_path: Path) -> None:
    """A time-out, not for ever."""
    path = java_that(tmp_path, "exec sleep 60")
    assert look(path, timeout_s=0.2) == Java(path, None, "it does not answer within 0.2 s")


def test_a_file_that_is_no_program_and_no_file_at_all(tmp_path: Path) -> None:
    """The text says which."""
    path = tmp_path / "java"
    assert look(path).text == "there is no such file"
    path.write_text("not a program")
    assert look(path).text == "it cannot be run: Permission denied"


def test_none_is_found_where_there_is_none(tmp_path: Path) -> None:
    """An empty PATH, and no JAVA_HOME."""
    assert find(None, environment={"PATH": str(tmp_path)}, home_teller=tmp_path / "none") is None


def test_the_configured_one_is_taken_even_if_another_is_newer(tmp_path: Path) -> None:
    """Who names one means it; a missing one is said, not replaced."""
    newer = java_of(tmp_path / "path", "25")
    older = java_of(tmp_path / "chosen", "17.0.1")
    environment = {"PATH": str(newer.parent)}
    assert find(older, environment=environment) == Java(older, 17, 'openjdk version "17.0.1" 2025-04-15')
    missing = find(tmp_path / "gone", environment=environment)
    assert missing == Java(tmp_path / "gone", None, "there is no such file")


def test_the_one_that_is_new_enough_wins_over_the_one_that_comes_first(tmp_path: Path) -> None:
    """JAVA_HOME often points to an old Java of another program."""
    old = java_of(tmp_path / "home" / "bin", "17.0.1")
    new = java_of(tmp_path / "path", "21.0.1")
    environment = {"JAVA_HOME": str(old.parent.parent), "PATH": str(new.parent)}
    found = find(None, environment=environment, home_teller=tmp_path / "none")
    assert found is not None
    assert found.path == new
    both_do = find(None, environment=environment, needed=17, home_teller=tmp_path / "none")
    assert both_do is not None
    assert both_do.path == old


def test_macos_tells_where_its_java_is(tmp_path: Path) -> None:
    """/usr/bin/java is a stub there; java_home knows the folder."""
    stub = java_that(tmp_path / "bin", "echo 'No Java runtime present' >&2; exit 1")
    real = java_of(tmp_path / "jdk" / "bin", "21.0.2")
    teller = java_that(tmp_path, f'test "$*" = "-v 21+" && echo {real.parent.parent}', "java_home")
    found = find(None, environment={"PATH": str(stub.parent)}, home_teller=teller)
    assert found is not None
    assert found.path == real


def test_only_the_stub_is_better_than_nothing(tmp_path: Path) -> None:
    """So that the person is told what it said."""
    stub = java_that(tmp_path / "bin", "echo 'No Java runtime present' >&2; exit 1")
    teller = java_that(tmp_path, "exit 1", "java_home")
    assert find(None, environment={"PATH": str(stub.parent)}, home_teller=teller) == Java(
        stub, None, "No Java runtime present"
    )
