"""`thetabulk service print`: a service as text, which the system's own tools accept; nothing is installed."""

import plistlib
import shlex
import shutil
import subprocess
import sys
from datetime import time
from pathlib import Path, PurePosixPath, PureWindowsPath
from xml.etree import ElementTree as ET

import pytest

from thetabulk.cli.app import main
from thetabulk.report import services
from thetabulk.report.services import Service

AWKWARD = ["/opt/a b/thetabulk", "update", "--store", "/media/me/SSD 4TB/100% \"mine\" $HOME 'x' \\n;"]
XML = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command beside the interpreter, wherever these tests run."""
    path = tmp_path / "bin" / "thetabulk"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path.with_name("python")))
    return path


def printed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert main(["service", "print", *words]) == code
    told = capsys.readouterr()
    return told.out, told.err


def of(command: list[str]) -> Service:
    return Service(command, time(6, 5), drain_s=30, log=PurePosixPath("/home/me/Library/Logs/thetabulk.log"))


def test_systemd_gets_a_service_that_drains_before_it_is_killed(
    capsys: pytest.CaptureFixture[str], program: Path, tmp_path: Path
) -> None:
    text, told = printed(capsys, "systemd", "--store", str(tmp_path / "ssd"), "--manage-terminal")
    assert f"ExecStart={program} update --wait --store {tmp_path}/ssd --manage-terminal" in text.splitlines()
    assert "TimeoutStopSec=60" in text  # run.drain_s, and the commit
    assert "KillMode=mixed" in text  # the Terminal is stopped by us, not under us
    assert "systemctl --user enable --now thetabulk.timer" in told


def test_what_only_a_person_can_mend_is_not_tried_again_and_again() -> None:
    """An account whose session is taken (exit 7) would otherwise be logged in to every quarter of an hour."""
    text = services.systemd_service(of(["/bin/true"]))
    line = next(line for line in text.splitlines() if line.startswith("RestartPreventExitStatus="))
    assert {"2", "6", "7", "9", "10"} <= set(line.partition("=")[2].split())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_itself_accepts_both_units(tmp_path: Path) -> None:
    """With the most awkward path: only the program must exist."""
    awkward = tmp_path / "a b" / "100% $HOME"
    awkward.parent.mkdir()
    awkward.symlink_to("/bin/true")
    (tmp_path / "thetabulk.service").write_text(services.systemd_service(of([str(awkward), *AWKWARD[1:]])))
    (tmp_path / "thetabulk.timer").write_text(services.systemd_timer(of(AWKWARD)))
    units = [tmp_path / "thetabulk.service", tmp_path / "thetabulk.timer"]
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *units],
        capture_output=True, text=True, timeout=60, check=False,
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    complaints = [line for line in ran.stderr.splitlines() if str(tmp_path) in line or "thetabulk" in line]
    assert (ran.returncode, complaints) == (0, []), ran.stderr


def test_systemd_quotes_what_it_would_read_otherwise() -> None:
    line = next(line for line in services.systemd_service(of(AWKWARD)).splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.partition("=")[2])
    assert [word.replace("%%", "%").replace("$$", "$") for word in words] == AWKWARD


def test_launchd_gets_the_words_as_they_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text, told = printed(capsys, "launchd", "--store", str(tmp_path / "a & b"), "--at", "06:05")
    document = plistlib.loads(text.encode())
    assert document["ProgramArguments"][-2:] == ["--store", str(tmp_path / "a & b")]
    assert document["StartCalendarInterval"] == {"Hour": 6, "Minute": 5}
    assert document["ExitTimeOut"] == 60
    assert document["Label"] in told
    assert plistlib.loads(services.launchd(of(AWKWARD)).encode())["ProgramArguments"] == AWKWARD


def test_windows_gets_a_task_whose_arguments_are_one_command_line() -> None:
    command = [r"C:\Users\A & B\thetabulk.exe", "update", "--store", "E:\\options <1>\\"]
    task = ET.fromstring(services.task(Service(command, time(6, 5), 30, PureWindowsPath())))
    assert task.findtext(f"{XML}Actions/{XML}Exec/{XML}Command") == command[0]
    arguments = task.findtext(f"{XML}Actions/{XML}Exec/{XML}Arguments")
    assert arguments == 'update --store "E:\\options <1>\\\\"'  # a backslash before the closing quote is doubled
    assert task.findtext(f".//{XML}StartBoundary") == "2026-01-01T06:05:00"
    assert not task.findtext(f".//{XML}ExecutionTimeLimit").strip("PT0S")  # type: ignore[union-attr]  # no limit


@pytest.mark.parametrize(
    ("words", "wrong", "hint"),
    [
        (["upstart"], "'upstart' runs no services", "systemd, launchd, task-scheduler"),
        (["systemd", "--at", "8 in the morning"], "no time of day", "--at 08:30"),
        (["launchd", "--timer"], "launchd has no timers", "systemd"),
        (["systemd", "--store", "/media/a\nb"], "no service can hold", "rename the folder"),
    ],
)
def test_what_cannot_be_printed_says_why(
    capsys: pytest.CaptureFixture[str], words: list[str], wrong: str, hint: str, tmp_path: Path
) -> None:
    store = [] if "--store" in words else ["--store", str(tmp_path)]
    out, told = printed(capsys, *words, *store, code=2)
    assert (out, wrong in told, hint in told) == ("", True, True), told


def test_without_a_name_it_is_for_this_system(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    expected = {"linux": "[Service]", "darwin": "<plist", "win32": "<Task"}[sys.platform]
    assert expected in printed(capsys, "--store", str(tmp_path))[0]


def test_the_timer_is_a_unit_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text, _ = printed(capsys, "systemd", "--timer", "--at", "06:05", "--store", str(tmp_path))
    assert "OnCalendar=*-*-* 06:05:00" in text
    assert "[Service]" not in text
