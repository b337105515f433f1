"""The jar that is trusted when it is first seen."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from thetabulk.terminal import jar


def make(path: Path, manifest: str = "Manifest-Version: 1.0\nImplementation-Version: 3.0.1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest)
    return path


def test_the_first_jar_is_remembered_and_another_one_is_told(tmp_path: Path) -> None:
    """First, same, changed; and a change is told until somebody says that it is his."""
    path = make(tmp_path / "T.jar")
    assert jar.pinned(tmp_path / "state", path) == ""
    first = jar.check(tmp_path / "state", path)
    assert (first.standing, first.sha256) == ("first", hashlib.sha256(path.read_bytes()).hexdigest())
    assert jar.check(tmp_path / "state", path).standing == "same"
    path.write_bytes(path.read_bytes() + b"more")
    for _ in range(2):
        changed = jar.check(tmp_path / "state", path)
        assert (changed.standing, changed.known) == ("changed", first.sha256)
    jar.trust(tmp_path / "state", path, changed.sha256)
    assert jar.check(tmp_path / "state", path).standing == "same"


def test_each_jar_has_its_own_memory(tmp_path: Path) -> None:
    """Two builds beside each other are no swap."""
    one, other = make(tmp_path / "1.jar"), make(tmp_path / "2.jar", "Manifest-Version: 1.0\n")
    assert jar.check(tmp_path, one).standing == jar.check(tmp_path, other).standing == "first"
    assert jar.check(tmp_path, one).standing == jar.check(tmp_path, other).standing == "same"


@pytest.mark.parametrize("content", ["", "[]", '{"jars": 7}', '{"jars": {"x"', "\x00"])
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    """It begins anew, and is written anew."""
    path = make(tmp_path / "T.jar")
    (tmp_path / "jars.json").write_text(content, encoding="utf-8")
    assert jar.check(tmp_path, path).standing == "first"
    assert jar.check(tmp_path, path).standing == "same"


def test_without_a_place_to_remember_nothing_fails(tmp_path: Path) -> None:
    """A state folder that cannot be made: every time is the first."""
    path = make(tmp_path / "T.jar")
    blocked = tmp_path / "file"
    blocked.touch()
    assert [jar.check(blocked / "state", path).standing for _ in range(2)] == ["first", "first"]


@pytest.mark.parametrize(
    ("manifest", "version"),
    [
        ("Manifest-Version: 1.0\r\nImplementation-Version: 202607271\r\nMain-Class: a.B\r\n", "202607271"),
        ("Manifest-Version: 1.0\nMain-Class: a.B\n", ""),
        ("Manifest-Version: 1.0\nX-Implementation-Version: 7\n", ""),
    ],
)
def test_the_version_is_the_manifests(tmp_path: Path, manifest: str, version: str) -> None:
    """Or none: the vendor's bootstrapper need not say one."""
    assert jar.version(make(tmp_path / "T.jar", manifest)) == version


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"<html>404</html>"])
def test_what_is_no_jar_is_told(tmp_path: Path, content: bytes) -> None:
    """An error page that was saved as a jar, or half of one."""
    path = tmp_path / "T.jar"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"T\.jar is damaged, or no jar"):
        jar.version(path)


def test_a_zip_without_a_manifest_is_no_jar(tmp_path: Path) -> None:
    """Some other archive."""
    with zipfile.ZipFile(tmp_path / "T.jar", "w") as archive:
        archive.writestr("README", "hello")
    with pytest.raises(ValueError, match="has no manifest"):
        jar.version(tmp_path / "T.jar")


def test_a_jar_is_found_in_a_folder_or_by_its_own_path(tmp_path: Path) -> None:
    """The first place that has one."""
    mine, theirs = make(tmp_path / "a" / "other.jar"), make(tmp_path / "b" / jar.NAME)
    assert jar.find([tmp_path / "nowhere", mine, tmp_path / "b"]) == mine
    assert jar.find([tmp_path / "a", tmp_path / "b"]) == theirs
    assert jar.find([tmp_path / "a"]) is None


def test_the_builds_beside_it_are_told_newest_first(tmp_path: Path) -> None:
    """What the bootstrapper has fetched; other jars there are libraries."""
    for name in ("202501010", "202607271", "netty"):
        make(tmp_path / "lib" / f"{name}.jar")
    assert jar.builds(tmp_path / jar.NAME) == ("202607271", "202501010")
    assert jar.builds(tmp_path / "lib" / "x.jar") == ()


def test_a_jar_whose_insides_are_damaged_is_no_jar(tmp_path: Path) -> None:
    """Its list of files is whole, and what it packs cannot be unpacked."""
    path = tmp_path / "T.jar"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n" * 100)
    content = bytearray(path.read_bytes())
    start = content.index(b"MANIFEST.MF") + len(b"MANIFEST.MF")
    content[start : start + 8] = b"\xff" * 8
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged, or no jar"):
        jar.version(path)
