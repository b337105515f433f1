"""Does what the Dockerfile says, without a daemon: `make container`, as root, with debootstrap.

A fresh Debian 13 stands for the base image (its python3 is 3.13 too). RUN steps are run in it by `chroot`, COPY copies
from the checkout, ENV, USER and WORKDIR hold from then on. Then the image is used: versions, a download into the store
volume, a stop that drains, the health check. The wheels are brought in from outside, so that nothing in there needs a
certificate or a proxy of this machine; the hashes are checked inside. Sizes are of gzip level 6, as layers are sent.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.container.recipe import Instruction, filled, stages

ROOT = Path(__file__).parent.parent.parent
_PLATFORMS = [f"--platform=manylinux{tag}_x86_64" for tag in ("_2_28", "_2_17", "2014")]
_BASE_GZIP_BYTES = 45_000_000  # python:3.13-slim-trixie as its registry states it; not measured here
_LIMIT_BYTES = 500_000_000
_FOUND_IN_BASE = "python3,python3-venv,ca-certificates"


def main() -> int:
    """0 if every step and every use went well; 0 with the reason where it cannot be tried."""
    reason = _reason_not_to()
    if reason:
        say(f"container: not tried: {reason}")
        return 0
    with tempfile.TemporaryDirectory(prefix="thetabulk-container-") as folder:
        system = Path(folder) / "system"
        say("container: a fresh Debian 13")
        run(["debootstrap", "--variant=minbase", f"--include={_FOUND_IN_BASE}", "trixie", str(system)])
        shutil.copy("/etc/resolv.conf", system / "etc" / "resolv.conf")
        _bring_wheels(system / "wheels")
        with _mounted_proc(system):
            image = Image(system)
            for stage in stages((ROOT / "Dockerfile").read_text(encoding="utf-8")):
                for instruction in stage:
                    image.carry_out(instruction)
            _weigh(system)
            _use(image)
    say("container: every step and every use went well")
    return 0


class Image:
    """The system, and what ENV, USER and WORKDIR have said about it so far."""

    def __init__(self, system: Path) -> None:
        self.system = system
        self._arguments: dict[str, str] = {}
        self._environment = {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin"}
        self._user: tuple[int, int] = (0, 0)
        self._folder = "/"
        self.entrypoint: list[str] = []
        self.health: list[str] = []

    def carry_out(self, instruction: Instruction) -> None:
        """One instruction; CalledProcessError if a step of it fails."""
        say(f"  {instruction.word} {instruction.rest[:90]}")
        match instruction.word:
            case "FROM":
                self._folder, self._user = "/", (0, 0)
            case "ARG":
                self._arguments |= instruction.pairs({})
            case "ENV":
                self._environment |= instruction.pairs(self._environment)
            case "WORKDIR":
                self._folder = instruction.rest
                (self.system / self._folder[1:]).mkdir(parents=True, exist_ok=True)
            case "USER":
                user, group = filled(instruction.rest, self._arguments).split(":")
                self._user = (int(user), int(group))
            case "COPY":
                self._copy(instruction.rest.split())
            case "RUN":
                self.run(["sh", "-c", instruction.rest], extra={**self._arguments, **_OFFLINE})
            case "ENTRYPOINT":
                self.entrypoint = instruction.list
            case "HEALTHCHECK":
                self.health = instruction.list
            case "VOLUME" | "STOPSIGNAL" | "CMD":
                pass  # said to the daemon; test_container_files.py reads them
            case other:
                raise ValueError(f"the Dockerfile has {other}, which is not carried out here")

    def run(self, command: list[str], extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """A command in the image, to its end."""
        ran = subprocess.run(self._inside(command), env=self._with(extra), text=True, capture_output=True, check=False)
        if ran.returncode:
            raise SystemExit(f"container: {' '.join(command)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return ran

    def start(self, command: list[str], extra: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """A command in the image that goes on."""
        return subprocess.Popen(
            self._inside(command), env=self._with(extra), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def _inside(self, command: list[str]) -> list[str]:
        user, group = self._user
        enter = f'cd "{self._folder}" && exec "$@"'
        return ["chroot", f"--userspec={user}:{group}", str(self.system), "sh", "-c", enter, "sh", *command]

    def _with(self, extra: Mapping[str, str] | None) -> dict[str, str]:
        return {
            **self._environment,
            "TINI_SUBREAPER": "yes",
            **(extra or {}),
        }  # in a container tini is the first process

    def _copy(self, words: list[str]) -> None:
        *sources, target = [word for word in words if not word.startswith("--")]
        if any(word.startswith("--from=") for word in words):
            return  # both stages are one system here: it lies there already
        folder = self.system / self._folder[1:]
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, folder / target)


_OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", "DEBIAN_FRONTEND": "noninteractive"}


def _use(image: Image) -> None:
    java = image.run(["java", "-version"]).stderr
    assert 'version "21' in java, java
    assert image.run(["id", "-u"]).stdout.strip() != "0"
    say(f"  uses: {image.run([*image.entrypoint, '--version']).stdout.strip()}, {java.splitlines()[0]}")
    days = ["QQQ", "--simulate", "--from", "2024-07-01", "--to", "2024-07-12"]
    image.run([*image.entrypoint, "download", *days])
    assert image.run([*image.entrypoint, "verify"]).returncode == 0
    assert [*(image.system / "store" / "option").rglob("*.parquet")]
    say("  uses: two weeks of a simulated market lie in the volume, verified")
    _stop(image, ["download", "SPY", "--simulate", "--from", "2016-08-04", "--yes"])
    _be_healthy(image)


def _stop(image: Image, words: list[str]) -> None:
    """What the daemon does: the stop signal to the first process, and nothing else."""
    running = image.start([*image.entrypoint, *words])
    days = image.system / "store" / "option" / "quote" / "1m" / "symbol=SPY"
    until(lambda: any(days.rglob("*.parquet")), "the first day of SPY")
    running.send_signal(signal.SIGTERM)
    told, _ = running.communicate(timeout=90)
    assert running.returncode == 128 + signal.SIGTERM, told
    assert not [*days.rglob("*.part*")], told
    assert not [*(image.system / "store" / ".thetabulk" / "tmp").iterdir()], told
    say("  uses: SIGTERM drained, exit 143")


def _be_healthy(image: Image) -> None:
    """The health check beside a stand-in for the Terminal, and without one."""
    port = "25503"
    terminal = image.start([*image.entrypoint, "simulate", "--port", port])
    try:
        until(lambda: image.start(image.health).wait() == 0, "a healthy Terminal")
    finally:
        terminal.terminate()
        terminal.communicate(timeout=30)
    assert image.start(image.health).wait() != 0
    say("  uses: the health check tells a Terminal from none")


def until(true: Any, what: str, patience_s: float = 60) -> None:
    """Looks again and again; AssertionError when patience ends."""
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.2)


def _weigh(system: Path) -> None:
    """The layers of ours, compressed, and the base as its registry states it."""
    layers = ["opt/thetabulk", "usr/lib/jvm", "etc/ssl/certs/java", "usr/bin/tini-static", "usr/bin/tini"]
    there = [name for name in layers if (system / name).exists()]
    packed = subprocess.run(
        f"tar --create --directory '{system}' {' '.join(there)} | gzip -6 | wc -c", shell=True, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    ours = int(packed.stdout)
    say(f"  weighs: {ours / 1e6:.0f} MB of ours + {_BASE_GZIP_BYTES / 1e6:.0f} MB base, compressed")
    assert ours + _BASE_GZIP_BYTES < _LIMIT_BYTES


def _bring_wheels(folder: Path) -> None:
    """The locked wheels for the image's Python, and what builds ours."""
    say("container: the wheels")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), "--only-binary", ":all:"]
    run([*pip, "--require-hashes", "--python-version=3.13", *_PLATFORMS, "-r", str(ROOT / "requirements.lock")])
    run([*pip, "--python-version=3.13", "hatchling"])


@contextmanager
def _mounted_proc(system: Path) -> Iterator[None]:
    run(["mount", "-t", "proc", "proc", str(system / "proc")])
    try:
        yield
    finally:
        run(["umount", "--lazy", str(system / "proc")])


def _reason_not_to() -> str:
    if os.geteuid():
        return "needs root, for chroot"
    return "" if shutil.which("debootstrap") else "needs debootstrap"


def run(command: list[str]) -> None:
    """A command of this machine; its last words if it fails."""
    ran = subprocess.run(command, text=True, capture_output=True, check=False)
    if ran.returncode:
        raise SystemExit(
            f"container: {command[0]} ended with {ran.returncode}:\n{ran.stdout[-2_000:]}{ran.stderr[-2_000:]}"
        )


def say(text: str) -> None:
    """To whoever watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
