"""`--manage-terminal`: a Terminal for the length of a run. The simulator stands in for the Java process here, behind a
program that calls itself Java: it has data to give."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.commands import REPOSITORY, Done, process
from tests.integration.terminal.fake import CANARIES, free_port, lives
from tests.integration.terminal.foreigner import Foreigner
from thetabulk.terminal.listeners import is_free
from thetabulk.terminal.ownership import read_record

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the program that calls itself Java is a shell script")

DAYS = ("QQQ", "--from", "2024-07-01", "--to", "2024-07-31")


class SimulatedHome:
    """A jar, a credentials file, and a "Java" that runs the simulator instead."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.starts = folder / "starts"
        (folder / "creds.txt").write_text("\n".join(CANARIES) + "\n")
        (folder / "creds.txt").chmod(0o600)
        with zipfile.ZipFile(folder / "ThetaTerminalv3.jar", "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        self.java = folder / "java"
        self.simulate()

    def simulate(self, *arguments: str) -> None:
        """With these arguments from its next start on."""
        serve = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from thetabulk.simulator.__main__ import main"
        words = ["--port", str(self.port), *arguments]
        self.java.write_text(
            f"#!/bin/sh\n"
            f'case "$*" in *-version*) echo \'openjdk version "21.0.1"\' >&2; exit 0;; esac\n'
            f"echo $$ >> {self.starts}\n"
            f'exec {sys.executable} -c "{serve}; sys.exit(main({words!r}))"\n'
        )
        self.java.chmod(0o755)

    def pids(self) -> list[int]:
        return [int(line) for line in self.starts.read_text().split()] if self.starts.exists() else []

    def settings(self) -> dict[str, Any]:
        return {
            "THETABULK_URL": f"http://127.0.0.1:{self.port}",
            "THETABULK_TERMINAL_JAR": str(self.folder / "ThetaTerminalv3.jar"),
            "THETABULK_TERMINAL_JAVA": str(self.java),
            "THETABULK_TERMINAL_PROBE_FIRST_S": "0.1",
            "THETABULK_TERMINAL_PROBE_EVERY_S": "0.5",
            "THETABULK_TERMINAL_RESTART_FIRST_S": "0.2",
            "THETABULK_TERMINAL_TICK_S": "0.05",
        }


@pytest.fixture
def home(tmp_path: Path) -> SimulatedHome:
    return SimulatedHome(tmp_path / "terminal")


def run(home: SimulatedHome, tmp_path: Path, *more: str) -> Done:
    store = tmp_path / "store"
    words: tuple[str | Path, ...] = ("download", *DAYS, "--store", store, "--manage-terminal", "--json", *more)
    with process(*words, home=tmp_path / "home", **home.settings()) as running:
        return running.ended()


def told(home: SimulatedHome, tmp_path: Path) -> object:
    """How the supervisor says that its Terminal is."""
    record = tmp_path / "home" / "xdg_state_home" / "thetabulk" / "terminal" / f"{home.port}.json"
    return (read_record(record).details or {}).get("state")


def until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_run_has_its_terminal_and_takes_it_along(home: SimulatedHome, tmp_path: Path) -> None:
    """Started before the first request, its banner read, stopped at the end; its secrets are nowhere."""
    home.simulate("--tier", "value")
    done = run(home, tmp_path)
    assert done.code == 0, done.told
    (started,) = done.events("terminal_started")
    assert started["ownership"] == "owned"
    assert done.events("run_started")[0]["tier"] == "value"
    assert done.events("run_started")[0]["tier_assumed"] is False
    assert done.counts == {"saved": 22, "proven": 22}
    assert [lives(pid) for pid in home.pids()] == [False]
    assert is_free(home.port)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.name != "creds.txt")
    for canary in CANARIES:
        assert canary.encode() not in written + done.told.encode()


def test_a_terminal_that_dies_in_the_middle_is_back_and_no_day_is_lost(home: SimulatedHome, tmp_path: Path) -> None:
    """Killed while days are under way: started again, everything saved, and no foreign process has heard of it."""
    home.simulate("--faults", "delay:seconds=0.2")
    words = ("download", *DAYS, "--store", tmp_path / "store", "--manage-terminal", "--json")
    with (
        Foreigner(tmp_path, "-jar", "ThetaTerminalv3.jar") as foreigner,
        process(*words, home=tmp_path / "home", **home.settings()) as running,
    ):
        running.until("shard_finished", times=3)
        os.kill(home.pids()[0], signal.SIGTERM)
        running.until("terminal_stopped")
        done = running.ended()
        assert foreigner.untouched
    assert done.code == 0, done.told
    assert done.counts == {"saved": 22, "proven": 22}
    assert len(home.pids()) == 2
    assert not any(lives(pid) for pid in home.pids())


def test_a_terminal_that_has_become_slow_is_restarted_between_two_days(home: SimulatedHome, tmp_path: Path) -> None:
    """Fine at first, then a trickle (incident 3): told, started anew while nothing is in flight, and no day is lost."""
    home.simulate("--faults", "degrade:after=16,rate=8000", "--places", "2")
    more = home.settings() | {"THETABULK_INCIDENT_SLOW_WINDOW_S": "1", "THETABULK_WORKERS": "2"}
    words = ("download", *DAYS, "--interval", "1h", "--store", tmp_path / "store", "--manage-terminal", "--json")
    with process(*words, home=tmp_path / "home", **more) as running:
        running.until("terminal_started")
        home.simulate()
        running.until("slowed")
        done = running.ended()
    assert done.code == 0, done.told
    assert [event["cause"] for event in done.events("terminal_stopped")] == ["asked"]
    assert done.counts == {"saved": 22, "proven": 22}
    assert done.events("attempt_failed") == []  # nothing was cut off by it
    assert len(home.pids()) == 2
    assert not any(lives(pid) for pid in home.pids())


def test_a_terminal_that_runs_already_is_used_and_left_running(home: SimulatedHome, tmp_path: Path) -> None:
    """Adopted: said so, with its pid; nothing is started, nothing is stopped."""
    with subprocess.Popen([home.java], stdout=subprocess.DEVNULL) as foreign:
        until(lambda: not is_free(home.port))
        done = run(home, tmp_path)
        assert done.code == 0, done.told
        assert done.events("terminal_started")[0]["ownership"] == "adopted"
        assert f"pid {foreign.pid} " in " ".join(event["message"] for event in done.events("notice"))
        assert foreign.poll() is None
        assert home.pids() == [foreign.pid]
        foreign.terminate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_takes_its_terminal_along(home: SimulatedHome, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and TERM: what is in flight is finished, and then the Terminal goes too."""
    home.simulate("--faults", "delay:seconds=0.3")
    words = ("download", *DAYS, "--store", tmp_path / "store", "--manage-terminal", "--json")
    with process(*words, home=tmp_path / "home", **home.settings()) as running:
        running.until("shard_finished")
        running.popen.send_signal(number)
        assert running.ended().code == 128 + number
    assert not any(lives(pid) for pid in home.pids())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_stopped_while_its_terminal_still_starts_takes_all_of_it_along(
    home: SimulatedHome, tmp_path: Path, number: signal.Signals
) -> None:
    """Before the first request, and once more while it is being ended: its child goes too, which no leash would end."""
    home.java.write_text(
        f'#!/bin/sh\ncase "$*" in *-version*) echo \'openjdk version "21.0.1"\' >&2; exit 0;; esac\n'
        f"trap '' TERM\nsleep 300 &\necho $! >> {home.starts}\necho $$ >> {home.starts}\nexec sleep 300\n"
    )
    words = ("download", *DAYS, "--store", tmp_path / "store", "--manage-terminal", "--json")
    more = home.settings() | {"THETABULK_TERMINAL_STOP_GRACE_S": "1"}
    with process(*words, home=tmp_path / "home", **more) as running:
        until(lambda: len(home.pids()) == 2 and told(home, tmp_path) == "starting")
        running.popen.send_signal(number)
        until(lambda: told(home, tmp_path) == "ending")
        running.popen.send_signal(number)
        done = running.ended()
    assert done.code == 128 + number, done.told
    assert [lives(pid) for pid in home.pids()] == [False, False]
    assert told(home, tmp_path) == "absent"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent (PDEATHSIG)")
def test_a_killed_run_leaves_no_terminal_behind(home: SimulatedHome, tmp_path: Path) -> None:
    """kill -9 of the run: the kernel ends what it had started; the next run starts its own."""
    home.simulate("--faults", "delay:seconds=0.3")
    words = ("download", *DAYS, "--store", tmp_path / "store", "--manage-terminal", "--json")
    with process(*words, home=tmp_path / "home", **home.settings()) as running:
        running.until("shard_finished")
        running.kill()
    psutil.wait_procs([psutil.Process(pid) for pid in home.pids() if psutil.pid_exists(pid)], timeout=10)
    assert not any(lives(pid) for pid in home.pids())
    home.simulate()
    assert run(home, tmp_path).code == 0
    assert len(home.pids()) == 2


def test_a_terminal_that_is_given_up_ends_the_run_in_good_order(home: SimulatedHome, tmp_path: Path) -> None:
    """The vendor refuses the credentials at a restart: exit code 7, the last word is said, what was saved stands."""
    home.simulate("--faults", "delay:seconds=0.3")
    words = ("download", *DAYS, "--store", tmp_path / "store", "--manage-terminal", "--json")
    with process(*words, home=tmp_path / "home", **home.settings()) as running:
        running.until("shard_finished", times=3)
        home.java.write_text(
            f'#!/bin/sh\ncase "$*" in *-version*) echo \'openjdk version "21.0.1"\' >&2; exit 0;; esac\n'
            f"echo $$ >> {home.starts}\necho INVALID_CREDENTIALS\nexit 1\n"
        )
        os.kill(home.pids()[0], signal.SIGTERM)
        done = running.ended()
    assert done.code == 7, done.told
    assert done.document["event"] == "finished"
    assert done.counts["saved"] >= 3
    assert done.events("terminal_stopped")[-1]["next_s"] is None
    assert len(home.pids()) == 2


def test_what_cannot_be_started_ends_the_run_with_its_fix(home: SimulatedHome, tmp_path: Path) -> None:
    """D11: Java too old: exit code 8 before anything else, and no store is made."""
    home.java.write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n")
    done = run(home, tmp_path)
    assert done.code == 8
    assert json.loads(done.out.splitlines()[-1])["error"].endswith("is Java 17, and the Terminal needs 21 or newer")
    assert not (tmp_path / "store").exists()
