"""The log of a run: what is in it, who may read it, how much of it is kept, and that it disturbs nothing."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from thetabulk import state
from thetabulk.assembly.run_log import RunLog, logged, telling
from thetabulk.config import Config, LogConfig, ScreenConfig
from thetabulk.errors import DriveGone
from thetabulk.events import Event, Incident, Notice, RunFinished

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
INCIDENT = Incident("began", "drive-gone", True, "not there", NOON, 0.0, 7, "looks again", 2.0, ("plug it in",))


def log_of(folder: Path, number: int = 0, **settings: int) -> RunLog:
    return RunLog(folder, LogConfig(**settings), lambda: NOON + timedelta(seconds=number), 42)


def told(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_every_event_is_a_line_of_a_file_that_only_the_owner_may_read(tmp_path: Path) -> None:
    """An incident too, as with `--json`."""
    log = log_of(tmp_path / "runs")
    log.emit(INCIDENT)
    log.emit(RunFinished(4, (), {}))
    log.close()
    assert log.path.name == "20261120T120000Z-42.jsonl"
    assert [(line["event"], line["at"]) for line in told(log.path)] == [
        ("incident", "2026-11-20T12:00:00.000+00:00"),
        ("finished", "2026-11-20T12:00:00.000+00:00"),
    ]
    assert told(log.path)[0]["you"] == ["plug it in"]
    if os.name == "posix":
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_the_newest_runs_are_kept(tmp_path: Path) -> None:
    """With both halves of a long one; what is no log of ours stays."""
    (tmp_path / "notes.txt").touch()
    for number in range(5):
        log = log_of(tmp_path, number, keep=3)
        log.emit(Notice("x"))
        log.close()
        log.path.with_name(f"{log.path.name}.1").touch()
    runs = [f"20261120T12000{number}Z-42.jsonl" for number in (2, 3, 4)]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["notes.txt", *runs, *(f"{name}.1" for name in runs)]
    )


def test_the_log_of_a_run_is_bounded_and_keeps_its_end(tmp_path: Path) -> None:
    """Every line of what is left is whole."""
    log = log_of(tmp_path, max_bytes=65_536)
    for number in range(3_000):
        log.emit(Notice(f"number {number}"))
    log.close()
    files = list(tmp_path.iterdir())
    assert len(files) == 2
    assert 32_768 < sum(file.stat().st_size for file in files) <= 65_536
    assert told(log.path)[-1]["message"] == "number 2999"
    assert told(log.path.with_name(f"{log.path.name}.1"))


@pytest.mark.parametrize(
    ("code", "at_once", "said"),
    [
        (0, False, []),
        (130, False, []),
        (11, False, []),
        (3, False, [1]),
        (4, False, [1]),
        (0, True, [0]),
        (4, True, [0]),
    ],
)
def test_where_the_log_is_is_told_once_if_somebody_may_want_it(
    tmp_path: Path, code: int, at_once: bool, said: list[int]
) -> None:
    """With `-v` first of all, else before the last word of a run that ended badly; not of one that was stopped."""
    heard: list[Event] = []
    log = log_of(tmp_path)
    tell = telling(log, heard.append, at_once=at_once)
    for event in (INCIDENT, RunFinished(code, (), {})):
        tell(event)
    log.close()
    place = Notice(f"the log of this run: {log.path}")
    assert [number for number, event in enumerate(heard) if event == place] == said
    assert [event for event in heard if event != place] == [INCIDENT, RunFinished(code, (), {})]


def test_what_ends_a_run_before_it_begins_is_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no event: it is raised."""
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path)
    with pytest.raises(DriveGone), logged(Config(), lambda event: None):
        raise DriveGone("/media/x is not there", hint="plug it in")
    [file] = (tmp_path / "runs").iterdir()
    assert told(file)[0]["message"] == "/media/x is not there — plug it in"


def test_a_state_folder_that_cannot_be_written_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the folder should be: the events come through, and no log is named."""
    (tmp_path / "state").touch()
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path / "state")
    heard: list[Event] = []
    with logged(Config(screen=ScreenConfig(verbose=True)), heard.append) as emit:
        emit(INCIDENT)
        emit(RunFinished(4, (), {}))
    assert heard == [INCIDENT, RunFinished(4, (), {})]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_full_disk_ends_the_log_and_not_the_run(tmp_path: Path) -> None:
    """Nothing is raised, and nothing is written later: a log with a hole would say what is not so."""
    log = log_of(tmp_path)
    log.path.symlink_to("/dev/full")
    log.emit(INCIDENT)
    assert not log.whole
    log.path.unlink()
    log.emit(INCIDENT)
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_no_log_is_kept_if_none_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`log.keep` 0."""
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path)
    heard: list[Event] = []
    with logged(Config(log=LogConfig(keep=0)), heard.append) as emit:
        emit(RunFinished(4, (), {}))
    assert heard == [RunFinished(4, (), {})]
    assert list(tmp_path.iterdir()) == []
