"""What the machine remembers about stores."""

from pathlib import Path

from thetabulk.state import known_stores, last_store, remember_store


def test_the_store_used_last_is_remembered(tmp_path: Path) -> None:
    """Using an older store again makes it the last; the others stay known."""
    folder = tmp_path / "state" / "thetabulk"
    assert last_store(folder) is None
    remember_store(folder, tmp_path / "a", "id-a")
    remember_store(folder, tmp_path / "b", "id-b")
    remember_store(folder, tmp_path / "a", "id-a2")
    assert last_store(folder) == tmp_path / "a"
    assert known_stores(folder) == {tmp_path / "b": "id-b", tmp_path / "a": "id-a2"}
    assert [path.name for path in folder.iterdir()] == ["stores.json"]


def test_a_broken_memory_is_no_memory(tmp_path: Path) -> None:
    """It is a convenience: anything unreadable counts as nothing, and is written anew."""
    for text in ("{", "[]", '{"stores": []}', '{"stores": {"/x": 1}}', "\x00"):
        (tmp_path / "stores.json").write_text(text)
        assert known_stores(tmp_path) == {}
    remember_store(tmp_path, tmp_path / "a", "id-a")
    assert last_store(tmp_path) == tmp_path / "a"


def test_a_state_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """A file where the folder should be: nothing is remembered, nothing is raised."""
    (tmp_path / "state").touch()
    remember_store(tmp_path / "state" / "thetabulk", tmp_path / "a", "id-a")
    assert last_store(tmp_path / "state" / "thetabulk") is None
