"""A machine on which everything is well, to plant faults in: a Java, a jar, credentials, a Terminal, a store."""

import json
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.integration.commands import Done, thetabulk
from tests.integration.serving import serving
from thetabulk.terminal.jar import NAME

ADDRESS, PASSWORD, KEY = "canary@example.org", "Canary-Password-7291", "td1_CanaryKey7291"
SECRETS = (ADDRESS, PASSWORD, KEY, KEY.removeprefix("td1_"))
_QUIET = ("THETADATA_API_KEY", "TZ", "JAVA_HOME", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")


@dataclass
class Machine:
    """`folder` is where commands are given; what is entered into `stack` ends with the test."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    stack: ExitStack
    url: str = ""
    store: Path = Path()
    flags: list[str] = field(default_factory=list)

    @property
    def jar(self) -> Path:
        return self.folder / NAME

    @property
    def credentials(self) -> Path:
        return self.folder / "creds.txt"

    def script(self, name: str, *lines: str) -> Path:
        """A program on the PATH."""
        path = self.folder / "bin" / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
        path.chmod(0o755)
        return path

    def java(self, version: str) -> Path:
        return self.script("java", f"echo 'openjdk version \"{version}\" 2024-07-16' >&2")

    def simulator(self, *arguments: str) -> Any:
        """The Terminal from now on; the simulator itself, to be told what its status is."""
        served = self.stack.enter_context(serving(*arguments))
        self.url = served.url
        return served.inner

    def answering(self, answers: Mapping[str, "Reply"], host: str = "127.0.0.1") -> None:
        """A server that is no simulator, from now on: what it says by path; 404 for all others."""
        self.url = self.stack.enter_context(web_server(answers, host))

    def nobody(self) -> None:
        """Nobody listens."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def process(self, *argv: str, code: str) -> subprocess.Popen[bytes]:
        """A Python that does `code` under another name, with more words in its command line; until the test ends."""
        command = [argv[0], "-u", "-c", code, *argv[1:]]
        running = self.stack.enter_context(
            subprocess.Popen(command, executable=sys.executable, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        )
        self.stack.callback(running.kill)
        assert running.stdout is not None
        assert running.stdout.readline()
        return running

    def doctor(self, *arguments: str) -> Done:
        return thetabulk("doctor", "--url", self.url, "--store", self.store, *self.flags, *arguments)

    def findings(self, *arguments: str) -> tuple[dict[str, dict[str, str]], int]:
        """What was found, by check, and the exit code."""
        done = self.doctor("--json", *arguments)
        document = json.loads(done.out)
        assert document["exit_code"] == done.code
        return {each["check"]: each for each in document["findings"]}, done.code


@dataclass(frozen=True)
class Reply:
    text: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def web_server(answers: Mapping[str, Reply], host: str) -> Iterator[str]:
    """Serves on any free port of `host`; its URL is that of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            reply = answers.get(urlsplit(self.path).path, Reply("<html>not here</html>", 404))
            body = reply.text.encode()
            self.send_response_only(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer((host, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


def _processes_of_this_test() -> Iterator[psutil.Process]:
    """Other tests, beside this one, start programs that look like Terminals, and doctor would be right to tell."""
    me = psutil.Process()
    yield from (me, *me.children(recursive=True))


@contextmanager
def healthy_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Everything in its place, but no Terminal yet: that is `simulator()` or another."""
    for name in [name for name in os.environ if name in _QUIET or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (folder / "bin").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", str(folder / "bin"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(psutil, "process_iter", _processes_of_this_test)
    with ExitStack() as stack:
        machine = Machine(folder, monkeypatch, stack, store=folder / "store")
        machine.java("21.0.4")
        with zipfile.ZipFile(machine.jar, "w") as archive:
            archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Version: 3.0.1\n")
        machine.credentials.write_text(f"{ADDRESS}\n{PASSWORD}\n", encoding="utf-8")
        machine.credentials.chmod(0o600)
        machine.set(
            THETABULK_DOCTOR_STATUS_TIMEOUT_S="2", THETABULK_DOCTOR_GOLDEN_TIMEOUT_S="2",
            THETABULK_DOCTOR_FREE_WARN_BYTES="1000000", THETABULK_STORE_FREE_FLOOR_BYTES="1000000",
        )  # fmt: skip
        yield machine
