"""`terminal fetch`, against a server of this machine: nothing is kept that is not whole, nothing replaced unasked."""

import asyncio
import hashlib
import io
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from thetabulk.errors import NotPermitted, TerminalUnavailable, UsageError
from thetabulk.terminal import jar
from thetabulk.terminal.fetching import Fetched, fetch


def a_jar(version: str = "202607271") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\nImplementation-Version: {version}\n")
    return buffer.getvalue()


class Vendor:
    """What the next request gets."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.body = a_jar()
        self.status = 200
        self.cut = 0
        self.asked: list[str] = []


@contextmanager
def serving() -> Iterator[Vendor]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            self.send_response(served.status)
            self.send_header("Content-Length", str(len(served.body)))
            self.send_header("Location", "https://elsewhere.example/x.jar")
            self.end_headers()
            self.wfile.write(served.body[: len(served.body) - served.cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing to the test's screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Vendor(f"http://127.0.0.1:{server.server_port}/ThetaTerminalv3.jar")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with serving() as asked:
        yield asked


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_a_first_jar_is_kept_and_its_hash_remembered(vendor: Vendor, tmp_path: Path) -> None:
    """Source, hash, size and version are told; a start later knows whether it is still the same."""
    target = tmp_path / "thetadata" / "ThetaTerminalv3.jar"
    sha256 = hashlib.sha256(vendor.body).hexdigest()
    found = await fetch(vendor.url, target, state_folder=tmp_path / "state")
    assert found == Fetched(vendor.url, target, sha256, len(vendor.body), "202607271", "first")
    assert target.read_bytes() == vendor.body
    assert jar.check(tmp_path / "state", target).standing == "same"
    again = await fetch(vendor.url, target, state_folder=tmp_path / "state")
    assert again.news == "same"
    assert files_in(target.parent) == ["ThetaTerminalv3.jar"]


async def test_another_jar_replaces_nothing_until_somebody_says_so(vendor: Vendor, tmp_path: Path) -> None:
    """The vendor publishes no hash: a new version and a forged one look the same to us."""
    target = tmp_path / "ThetaTerminalv3.jar"
    before = vendor.body
    await fetch(vendor.url, target, state_folder=tmp_path / "state")
    vendor.body = a_jar("209912311")
    with pytest.raises(UsageError, match="is another one") as raised:
        await fetch(vendor.url, target, state_folder=tmp_path / "state")
    assert "--replace" in raised.value.hint
    assert target.read_bytes() == before
    found = await fetch(vendor.url, target, state_folder=tmp_path / "state", replace=True)
    assert (found.news, found.version) == ("replaced", "209912311")
    assert jar.check(tmp_path / "state", target).standing == "same"


async def test_a_jar_that_was_put_there_by_hand_counts_as_known(vendor: Vendor, tmp_path: Path) -> None:
    """Without a remembered hash, the file itself is what is known."""
    target = tmp_path / "ThetaTerminalv3.jar"
    target.write_bytes(a_jar("1"))
    with pytest.raises(UsageError, match="is another one"):
        await fetch(vendor.url, target, state_folder=tmp_path / "state")
    assert target.read_bytes() == a_jar("1")


async def test_a_hash_that_is_expected_is_proven(vendor: Vendor, tmp_path: Path) -> None:
    """It also stands for --replace: whoever knows the hash has said which jar it shall be."""
    target = tmp_path / "ThetaTerminalv3.jar"
    with pytest.raises(UsageError, match="not the one that you gave"):
        await fetch(vendor.url, target, state_folder=tmp_path / "state", expected="0" * 64)
    assert files_in(tmp_path) == []
    target.write_bytes(b"old")
    sha256 = hashlib.sha256(vendor.body).hexdigest().upper()
    assert (await fetch(vendor.url, target, state_folder=tmp_path / "state", expected=sha256)).news == "replaced"


@pytest.mark.parametrize("damage", ["cut", "html", "status", "redirect", "damaged"])
async def test_what_is_not_a_whole_jar_leaves_nothing(vendor: Vendor, tmp_path: Path, damage: str) -> None:
    """A cut one, an error page, a redirect (which is shown, not followed)."""
    if damage == "cut":
        vendor.cut = 10
    elif damage == "html":
        vendor.body = b"<html>sign in</html>"
    elif damage == "damaged":
        vendor.body = vendor.body[:-30]
    else:
        vendor.status = 404 if damage == "status" else 302
    with pytest.raises(TerminalUnavailable) as raised:
        await fetch(vendor.url, tmp_path / "ThetaTerminalv3.jar", state_folder=tmp_path / "state")
    assert files_in(tmp_path) == []
    assert len(vendor.asked) == 1
    if damage == "redirect":
        assert "https://elsewhere.example/x.jar" in str(raised.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://vendor.example/x.jar", "is not encrypted"),
        ("ftp://vendor.example/x.jar", "is no address of a jar"),
        ("/etc/passwd", "is no address of a jar"),
        ("https://me:canary@vendor.example/x.jar", "is no address of a jar"),
        ("http://[", "is no address of a jar"),
    ],
)
async def test_a_source_that_cannot_be_trusted_is_not_asked(tmp_path: Path, url: str, said: str) -> None:
    """Anybody on the way could change what comes over http."""
    with pytest.raises(UsageError, match=said) as raised:
        await fetch(url, tmp_path / "x.jar", state_folder=tmp_path)
    assert "canary" not in str(raised.value)


async def test_a_hash_that_is_none_is_said_before_anything_is_asked(vendor: Vendor, tmp_path: Path) -> None:
    """A slip of the finger would look like a forged jar."""
    with pytest.raises(UsageError, match="is no SHA-256"):
        await fetch(vendor.url, tmp_path / "x.jar", state_folder=tmp_path, expected="abc")
    assert vendor.asked == []


async def test_a_folder_that_cannot_be_written(vendor: Vendor, tmp_path: Path) -> None:
    """Exit code 6, with the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPermitted, match="cannot be written"):
        await fetch(vendor.url, tmp_path / "file" / "x.jar", state_folder=tmp_path)


async def test_a_host_that_cannot_be_reached_is_told_in_plain_words(tmp_path: Path) -> None:
    """And how to go on without this command: with a browser."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # free again in a moment
    with pytest.raises(TerminalUnavailable) as raised:
        await fetch(f"https://127.0.0.1:{port}/x.jar", tmp_path / "x.jar", state_folder=tmp_path)
    assert raised.value.what == f"https://127.0.0.1:{port}/x.jar cannot be had: its host refuses the connection"
    assert "with a browser" in raised.value.hint
    assert "--jar FILE" in raised.value.hint
    assert max(len(f"hint: {line}") for line in raised.value.hint.splitlines()) <= 80


@pytest.mark.parametrize(
    ("scheme", "answer", "said"),
    [
        ("https", b"HTTP/1.1 200 OK\r\n\r\n", "no encrypted connection can be made"),
        ("http", b"220 mail.example ready\r\n", "what answers does not speak HTTP"),
        ("http", b"", "the connection broke off"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nPK", "it broke off in the middle"),
        ("http", None, "no answer in time"),
    ],
)
async def test_other_troubles_have_words_of_their_own(
    tmp_path: Path, scheme: str, answer: bytes | None, said: str
) -> None:
    """What answers is no web server, or ends too early, or says nothing."""

    ended = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(1)
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.jar"
        with pytest.raises(TerminalUnavailable, match=f"cannot be had: {said}$"):
            await fetch(url, tmp_path / "x.jar", state_folder=tmp_path, timeout_s=0.5)
        await asyncio.wait_for(ended.wait(), 10)
    assert files_in(tmp_path) == []
