"""`verify --budget`, an interrupted one, and `--repair --from`: a large store in slices, a second copy as the cure."""

import json
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.small_store import small_store
from tests.cli.test_verify import file_of
from thetabulk.assembly import checks, clock
from thetabulk.cli.app import main
from thetabulk.model import Shard


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    main([*words, "--json"])
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_slices_of_a_store_add_up_to_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A budget of two files a time: three runs have seen all five, each file once."""
    small_store(tmp_path / "s")
    seen: list[str] = []
    real = checks.look_at

    def look_at(store, saved, depth, grids):  # type: ignore[no-untyped-def]
        seen.append(str(saved.shard))  # every look takes a second
        return real(store, saved, depth, grids)

    monkeypatch.setattr(checks, "look_at", look_at)
    monkeypatch.setattr("thetabulk.assembly.clock.monotonic", lambda: float(len(seen)))
    left = [document(capsys, "verify", "--store", str(tmp_path / "s"), "--budget", "1.5s").get("left") for _ in "12"]
    assert (left, len(set(seen))) == ([3, 3], 4)
    assert document(capsys, "verify", "--store", str(tmp_path / "s"), "--budget", "1h").get("left") is None
    assert len(set(seen)) == 5


def test_a_mirror_heals_what_the_vendor_need_not_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file flipped, one gone: both come back byte for byte without a Terminal; the flipped one is kept."""
    small_store(tmp_path / "s")
    assert main(["mirror", str(tmp_path / "m"), "--store", str(tmp_path / "s")]) == 0
    flipped, gone = file_of(tmp_path / "s", 0), file_of(tmp_path / "s", 1)
    before = flipped.read_bytes(), gone.read_bytes()
    flipped.write_bytes(before[0][:100] + b"\xff" + before[0][101:])
    gone.unlink()
    capsys.readouterr()
    words = ("verify", "--repair", "--from", str(tmp_path / "m"), "--store", str(tmp_path / "s"))
    found = document(capsys, *words)
    assert (found["damaged"], found["missing"]) == ([], [])
    assert len(found["repaired"]) == 2  # type: ignore[arg-type]
    assert (flipped.read_bytes(), gone.read_bytes()) == before
    assert list((tmp_path / "s" / ".thetabulk" / "quarantine").rglob(flipped.name))


def test_a_mirror_is_repeatable_and_no_store_to_write_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time copies nothing; a run on the copy is refused, and says what to do if the original is lost."""
    small_store(tmp_path / "s")
    first = document(capsys, "mirror", str(tmp_path / "m"), "--store", str(tmp_path / "s"))
    again = document(capsys, "mirror", str(tmp_path / "m"), "--store", str(tmp_path / "s"))
    assert (first["copied"], again["copied"], again["kept"]) == (5, 0, 5)
    assert main(["resume", "--store", str(tmp_path / "m")]) == 2
    assert "mirror.json" in capsys.readouterr().err
    assert main(["verify", "--deep", "--store", str(tmp_path / "m")]) == 0


def test_a_damaged_day_is_not_copied_to_a_mirror(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, the others are copied, and the exit code is that of damage."""
    small_store(tmp_path / "s")
    day = file_of(tmp_path / "s", 2)
    day.write_bytes(day.read_bytes()[:-1] + b"?")
    assert main(["mirror", str(tmp_path / "m"), "--store", str(tmp_path / "s"), "--json"]) == 10
    found = json.loads(capsys.readouterr().out)
    assert (found["copied"], [entry["problem"] for entry in found["damaged"]]) == (
        4,
        ["the file is not the recorded one (its sha256 differs)"],
    )
    assert not file_of(tmp_path / "m", 2).exists()


def test_another_folder_is_no_mirror_of_this_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store of its own is neither overwritten by mirror nor taken as a cure."""
    small_store(tmp_path / "s")
    small_store(tmp_path / "other")
    assert main(["mirror", str(tmp_path / "s"), "--store", str(tmp_path / "s")]) == 2
    assert main(["mirror", str(tmp_path / "other"), "--store", str(tmp_path / "s")]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_verify_goes_on(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal while the second file is looked at: that one is finished, and said. The next one sees the other three,
    the one after that all again; a slice and another scope are not concerned."""
    small_store(tmp_path / "s")
    words = ("verify", "--store", str(tmp_path / "s"))
    seen: list[Shard] = []
    real = checks.look_at

    def look_at(store, saved, depth, grids):  # type: ignore[no-untyped-def]
        seen.append(saved.shard)
        if len(seen) == 2:
            os.kill(os.getpid(), number)
        return real(store, saved, depth, grids)

    monkeypatch.setattr(checks, "look_at", look_at)
    before = signal.getsignal(number)
    assert main(list(words)) == 128 + number
    assert signal.getsignal(number) == before
    assert "interrupted: 3 files were not reached; the same command goes on" in capsys.readouterr().out
    assert document(capsys, *words, "QQQ")["checked"] == 5
    assert main(list(words)) == 0
    assert "2 files were found good by the verify that was interrupted" in capsys.readouterr().out
    assert len(set(seen[:2] + seen[7:])) == 5
    assert document(capsys, *words)["checked"] == 5


def test_an_interrupted_verify_takes_nothing_bad_for_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged file that was found before the interruption is told again by the next; a week later all begins anew."""
    small_store(tmp_path / "s")
    day = file_of(tmp_path / "s", 0)
    day.write_bytes(day.read_bytes()[:-1] + b"?")
    words = ("verify", "--store", str(tmp_path / "s"))
    real, looks = checks.look_at, []

    def look_at(store, saved, depth, grids):  # type: ignore[no-untyped-def]
        looks.append(saved)
        if len(looks) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return real(store, saved, depth, grids)

    monkeypatch.setattr(checks, "look_at", look_at)
    assert len(document(capsys, *words)["damaged"]) == 1  # type: ignore[arg-type]
    memory = (tmp_path / "s" / ".thetabulk" / "verified.json").read_bytes()
    found = document(capsys, *words)
    assert (found["checked"], found["earlier"], len(found["damaged"])) == (3, 2, 1)  # type: ignore[arg-type]
    (tmp_path / "s" / ".thetabulk" / "verified.json").write_bytes(memory)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=8))
    assert document(capsys, *words)["checked"] == 5
