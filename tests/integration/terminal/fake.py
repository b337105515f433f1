"""The Java stand-in: compiled once, put into a folder with its credentials, told what to do by a file."""

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest

from thetabulk.config import TerminalConfig
from thetabulk.events import Event
from thetabulk.terminal.host import Machine, Place, Recipe
from thetabulk.terminal.lifecycle import Limits
from thetabulk.terminal.ownership import TOKEN, Mark
from thetabulk.terminal.probe import Probe
from thetabulk.terminal.supervisor import Supervisor

SOURCE = Path(__file__).with_name("FakeTerminal.java")
CANARIES = ("owner@canary.example", "canary-password-9")
QUICK = TerminalConfig(
    start_timeout_s=10, start_limit_s=20, stop_grace_s=2, port_wait_s=1, hang_s=1.0, probe_first_s=0.05,
    probe_every_s=0.2, probe_timeout_s=0.3, poll_first_s=0.1, poll_max_s=0.4, tick_s=0.02,
)  # fmt: skip
"""Time constants of a test: hours would change nothing but the waiting."""

BRIEF = Limits(
    backoff_first_s=0.05, backoff_max_s=0.2, few=3, few_s=4.0, most=10_000, most_s=600.0, stable_s=1.0,
    session_s=1.5, session_max_s=3.0, quiet_s=1.3,
)  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@cache
def compiled() -> Path | None:
    """fake.jar, or None where there is no JDK."""
    compiler, archiver = shutil.which("javac"), shutil.which("jar")
    if not compiler or not archiver or not shutil.which("java"):
        return None
    folder = Path(mkdtemp(prefix="fake-terminal-"))
    subprocess.run([compiler, "-d", folder / "classes", SOURCE], check=True, capture_output=True)
    jar = folder / "fake.jar"
    subprocess.run(
        [archiver, "--create", "--file", jar, "--main-class", "FakeTerminal", "-C", folder / "classes", "."],
        check=True, capture_output=True,
    )  # fmt: skip
    return jar


needs_jdk = pytest.mark.skipif(compiled() is None, reason="there is no JDK (javac, jar) to compile the stand-in with")


class FakeHome:
    """A folder with a stand-in in it, as a user has one with a Terminal; `tell` says what it shall do."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        jar = compiled()
        assert jar is not None
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.jar = folder / "ThetaTerminalv3.jar"
        shutil.copy(jar, self.jar)
        self.creds = folder / "creds.txt"
        self.creds.write_text("\n".join(CANARIES) + "\n")
        self.creds.chmod(0o600)
        self.port = port or free_port()
        self.tell()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, **told: object) -> None:
        """What it does from now on: see FakeTerminal.java."""
        lines = [f"{name}={value}" for name, value in ({"port": self.port} | told).items()]
        scratch = self.folder / "fake.properties.new"
        scratch.write_text("\n".join(lines) + "\n")
        scratch.replace(self.folder / "fake.properties")

    def count(self, what: str) -> int:
        """How often it was started, has ended in good order, or was asked something."""
        file = self.folder / what
        return len(file.read_text().splitlines()) if file.exists() else 0

    def recipe(self) -> Recipe:
        java = shutil.which("java")
        assert java is not None
        return Recipe(Path(java), self.jar, self.creds, ("-Xmx64m",))

    def run(self) -> "subprocess.Popen[bytes]":
        """Somebody else's Terminal: started as a user would, from the same jar."""
        return subprocess.Popen(["java", "-jar", self.jar], cwd=self.folder, stdout=subprocess.DEVNULL)


@dataclass
class Bench:
    """A supervisor at work on a stand-in, in the test's own event loop."""

    home: FakeHome
    supervisor: Supervisor
    machine: Machine
    events: list[Event]
    place: Place
    task: "asyncio.Task[None] | None" = None

    def begin(self) -> None:
        self.task = asyncio.create_task(self.supervisor.run())

    async def until(self, is_so: Callable[[], object], seconds: float = 20.0) -> None:
        """Polls; fails with how things stand when the time is over."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, (self.supervisor.status, self.events, self.log()[-1500:])
            await asyncio.sleep(0.01)

    async def until_ready(self, seconds: float = 20.0) -> int:
        """The pid of the Terminal that is connected."""
        await self.until(lambda: self.supervisor.status.state == "ready", seconds)
        pid = self.supervisor.status.pid
        assert pid is not None
        return pid

    async def end(self) -> str:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait((self.task,))
            if not self.task.cancelled():
                self.task.exception()
        return await self.supervisor.stop()

    def log(self) -> str:
        return self.place.log.read_text() if self.place.log.exists() else ""

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def bench(
    home: FakeHome, state: Path, *, settings: TerminalConfig = QUICK, limits: Limits = BRIEF, leashed: bool = False,
    log_bytes: int = 1_000_000, environment: dict[str, str] | None = None,
) -> Bench:  # fmt: skip
    settings = replace(settings, url=home.url)
    place = Place(state / f"{home.port}.json", state / f"{home.port}.log", log_bytes, 2)
    probe = Probe(home.url, settings.probe_timeout_s)
    variables = dict(os.environ) if environment is None else environment
    machine = Machine(
        port=home.port, recipe=home.recipe, place=place, probe=probe, grace_s=settings.stop_grace_s,
        environment=variables, supervisor=Mark(os.getpid(), psutil.Process().create_time(), ""), leashed=leashed,
        monotonic=time.monotonic,
    )  # fmt: skip
    events: list[Event] = []
    supervisor = Supervisor(
        settings, machine, probe, limits=limits, monotonic=time.monotonic, wall=time.time, rng=lambda: 0.5,
        emit=events.append,
    )  # fmt: skip
    return Bench(home, supervisor, machine, events, place)


def lives(pid: int) -> bool:
    """Whether the process runs; one that has ended and whose parent has not asked yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def with_our_token() -> list[int]:
    """The pids of all processes that carry a token of ours: what a test must not leave behind."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and TOKEN in process.environ():
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found
