"""Servers in processes of their own, so that their work is in nobody's figures."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.child import ROOT

_STOP_S = 10.0


@contextmanager
def simulator(arguments: Sequence[str], env: Mapping[str, str]) -> Iterator[str]:
    """The URL of a simulator of our own."""
    command = [sys.executable, "-m", "thetabulk.simulator", "--port", "0", *arguments]
    with _server(command, env, "Starting server at ") as url:
        yield url


@contextmanager
def replay(folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """The URL of a server that gives recorded answers."""
    with _server([sys.executable, "-m", "benchmarks.replay", str(folder)], env, "http://") as url:
        yield url


@contextmanager
def _server(command: Sequence[str], env: Mapping[str, str], sign: str) -> Iterator[str]:
    """From the line that has the sign to the end of the block. RuntimeError if no such line comes."""
    process = subprocess.Popen(
        command, env=dict(env), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield _url(process.stdout, sign)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _url(lines: Iterator[str], sign: str) -> str:
    said = []
    for line in lines:
        said.append(line)
        if sign in line:
            address = line.rpartition(sign)[2] if sign != "http://" else line
            return f"http://{address.strip().removeprefix('http://').rstrip('/')}"
    raise RuntimeError(f"the server did not start:\n{''.join(said)}")
