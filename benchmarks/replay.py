"""A server that says again what a Terminal has said: recorded answers, from files, at hardly any cost.

    python -m benchmarks.replay FOLDER        prints its URL, and serves until it is stopped

So each day is rendered once, everyone gets the same bytes, and the market's arithmetic is in nobody's figures. Bodies
are chunked, without a length, as a Terminal sends them; the files hold the chunks already, and go out by sendfile.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit
from urllib.request import HTTPErrorProcessor, Request, build_opener

CHUNK_BYTES = 8_192
"""The size of a chunk, as in the reference measurements of HTTP clients (many small ones cost most)."""

_INDEX = "index.json"
_PIECE_BYTES = 1_048_576
_TIMEOUT_S = 120.0
_KEPT_HEADERS = ("Content-Type", "X-Thetabulk-Simulator")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer: `file` holds its chunked body, `body_bytes` is the body's length."""

    target: str
    status: int
    headers: dict[str, str]
    file: str
    body_bytes: int


class _AnyStatus(HTTPErrorProcessor):
    """Any status is an answer."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        return response


def key(target: str) -> str:
    """A path and its parameters, however they are ordered and escaped."""
    parts = urlsplit(target)
    return json.dumps([parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True))])


def record(base_url: str, targets: Iterable[str], folder: Path) -> list[Recorded]:
    """Asks for each target (path and query) once, and keeps the answers in the folder."""
    folder.mkdir(parents=True)
    answers = [_record_one(base_url, target, folder, number) for number, target in enumerate(targets)]
    (folder / _INDEX).write_text(json.dumps([asdict(answer) for answer in answers], indent=1), encoding="utf-8")
    return answers


def _record_one(base_url: str, target: str, folder: Path, number: int) -> Recorded:
    file = folder / f"{number:05}.chunked"
    total = 0
    with build_opener(_AnyStatus).open(base_url + target, timeout=_TIMEOUT_S) as answer, file.open("wb") as out:
        while piece := answer.read(_PIECE_BYTES):
            total += len(piece)
            _write_chunks(out, piece)
        out.write(b"0\r\n\r\n")
        headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
    return Recorded(target, answer.status, headers, file.name, total)


def _write_chunks(out: BinaryIO, piece: bytes) -> None:
    for start in range(0, len(piece), CHUNK_BYTES):
        chunk = piece[start : start + CHUNK_BYTES]
        out.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))


class Replay(ThreadingHTTPServer):
    """Serves the answers of a folder."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder

    @cached_property
    def answers(self) -> dict[str, Recorded]:
        known = json.loads((self.folder / _INDEX).read_text(encoding="utf-8"))
        return {key(each["target"]): Recorded(**each) for each in known}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = cast(Replay, self.server)
        answer = server.answers.get(key(self.path))
        if answer is None:
            self.send_error(404, "not recorded")
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        with (server.folder / answer.file).open("rb") as body:
            self.connection.sendfile(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing: the log would cost more than the answer."""


if __name__ == "__main__":
    with Replay(Path(sys.argv[1])) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
