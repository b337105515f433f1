"""What a server can say instead of the truth: the bodies of reliability.md §7.3, and more. Each is a script on a raw
socket, so that no HTTP library puts anything right."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial

from tests.unit.fetch.raw_server import CHUNKED, END, Wire, chunk, head, sized

Lie = Callable[[Wire, bytes], Awaitable[None]]
"""Sends something else than the truth, which is given, over a connection that is then closed."""

_PIECE = 65_536
_ENDLESS = 4_096  # pieces: 256 MB, far beyond the ceiling of the tests


@dataclass(frozen=True)
class Told:
    """What may come of it: the truth after all, `served` if it is confirmed, or nothing."""

    lie: Lie
    may_be_true: bool = False
    may_be_confirmed: bool = False


def _sends(*make: Callable[[bytes], bytes]) -> Lie:
    async def lie(wire: Wire, truth: bytes) -> None:
        await wire.send(*(part(truth) for part in make))

    return lie


def _raw(content: bytes) -> Lie:
    return _sends(lambda _: content)


def _whole(change: Callable[[bytes], bytes]) -> Lie:
    """Impeccable HTTP around another body."""
    return _sends(lambda truth: CHUNKED + chunk(change(truth)) + END)


def _headed(status: str, *headers: str) -> Lie:
    return _sends(lambda truth: sized(truth, status, *headers))


def _encoded(name: str, encode: Callable[[bytes], bytes]) -> Lie:
    return _sends(lambda truth: sized(encode(truth), "200 OK", f"Content-Encoding: {name}"))


def _half(truth: bytes) -> bytes:
    return truth[: len(truth) // 2]


def _flipped(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


@cache
def _bomb(_: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(200)), packer.flush()])


async def _reset_in_the_middle(wire: Wire, truth: bytes) -> None:
    await wire.send(CHUNKED, chunk(_half(truth)))
    await asyncio.sleep(0.02)
    wire.reset()


async def _reset_at_once(wire: Wire, _: bytes) -> None:
    wire.reset()


async def _nothing(_: Wire, __: bytes) -> None:
    """The connection closes without a word."""


async def _stall(wire: Wire, truth: bytes, *, before: str) -> None:
    if before != "head":
        await wire.send(CHUNKED)
    if before == "end":
        await wire.send(chunk(_half(truth)))
    await wire.until_the_client_goes()


async def _drip(wire: Wire, truth: bytes) -> None:
    await wire.send(CHUNKED)
    for byte in truth:
        await wire.send(chunk(bytes([byte])))
        await asyncio.sleep(0.02)


async def _slow_head(wire: Wire, _: bytes) -> None:
    for byte in CHUNKED:
        await wire.send(bytes([byte]))
        await asyncio.sleep(0.05)


async def _endless(wire: Wire, truth: bytes, *, piece: Callable[[bytes], bytes]) -> None:
    await wire.send(CHUNKED, chunk(truth))
    for _ in range(_ENDLESS):
        await wire.send(chunk(piece(truth)))


async def _endless_head(wire: Wire, _: bytes) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        await wire.send(b"X-%d: %s\r\n" % (number, b"x" * 100))


async def _ever_more_informed(wire: Wire, truth: bytes) -> None:
    """A hundred times 103 before the answer."""
    await wire.send(*[b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"] * 100, sized(truth))


def _rows(truth: bytes) -> list[bytes]:
    return truth.splitlines(keepends=True)


def _without_the_last_contract(truth: bytes) -> bytes:
    rows = _rows(truth)
    last = rows[-1].split(b",")[1:4]
    return b"".join(row for row in rows if row.split(b",")[1:4] != last)


def _with_error_inside(truth: bytes) -> bytes:
    return _half(truth).rpartition(b"\n")[0] + b"\nInternal server error: java.lang.OutOfMemoryError\n"


_MANY = "X: y\r\n" * 10_000

LIES: dict[str, Told] = {
    "chunked, cut in the middle of a chunk": Told(_sends(lambda t: CHUNKED + chunk(t)[: len(t) // 2])),
    "chunked, cut between chunks": Told(_sends(lambda t: CHUNKED + chunk(_half(t)))),
    "chunked, cut in a chunk's length": Told(_sends(lambda t: CHUNKED + chunk(t) + b"1f")),
    "chunked, cut before the last line end": Told(_sends(lambda t: CHUNKED + chunk(t) + b"0\r\n")),
    "a chunk whose length is no number": Told(_sends(lambda t: CHUNKED + chunk(t) + b"zz\r\nrow\r\n" + END)),
    "a chunk of 16 exabytes": Told(_sends(lambda t: CHUNKED + b"ffffffffffffffff\r\n" + t)),
    "a chunk of negative length": Told(_sends(lambda t: CHUNKED + b"-5\r\n" + t + END)),
    "a chunk longer than it says": Told(_sends(lambda t: CHUNKED + chunk(t)[:-2] + b"more\r\n" + END)),
    "shorter than its length": Told(_sends(lambda t: sized(t)[:-1])),
    "longer than its length": Told(_sends(lambda t: sized(t) + b"more of it\n"), may_be_true=True),
    "a second answer behind the first": Told(_sends(lambda t: sized(t) + sized(b"bad")), may_be_true=True),
    "half of it, with the length of the half": Told(_sends(lambda t: sized(_half(t)))),
    "closed at the end": Told(_sends(lambda t: head() + t)),
    "closed in the middle": Told(_sends(lambda t: head() + _half(t))),
    "closed where a line ends": Told(_sends(lambda t: head() + _half(t).rpartition(b"\n")[0] + b"\n")),
    "HTTP/1.0": Told(_sends(lambda t: head().replace(b"1.1", b"1.0") + t)),
    "HTTP/0.9": Told(_sends(lambda t: t)),
    "no HTTP": Told(_raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    "no word": Told(_nothing),
    "reset at once": Told(_reset_at_once),
    "reset in the middle": Told(_reset_in_the_middle),
    "gzip": Told(_encoded("gzip", gzip.compress)),
    "gzip with a wrong checksum": Told(_encoded("gzip", lambda t: _flipped(gzip.compress(t)))),
    "gzip, cut, with the length of the rest": Told(_encoded("gzip", lambda t: gzip.compress(t)[:-20])),
    "gzip in two members": Told(_encoded("gzip", lambda t: gzip.compress(_half(t)) + gzip.compress(_half(t)))),
    "200 MB in 200 kB of gzip": Told(_encoded("gzip", _bomb)),
    "gzip that is not said": Told(_sends(lambda t: sized(gzip.compress(t)))),
    "deflate": Told(_encoded("deflate", zlib.compress)),
    "an encoding that nobody knows": Told(_encoded("zebra", lambda t: t)),
    "gzip as a transfer encoding": Told(
        _sends(lambda t: head("200 OK", "Transfer-Encoding: gzip, chunked") + chunk(gzip.compress(t)) + END)
    ),
    "206": Told(_headed("206 Partial Content", "Content-Range: bytes 0-9/10")),
    "204": Told(_raw(head("204 No Content"))),
    "304": Told(_raw(head("304 Not Modified"))),
    "a redirect to itself": Told(_headed("302 Found", "Location: /v3/option/history/quote")),
    "a redirect to elsewhere": Told(_headed("307 Temporary Redirect", "Location: http://192.0.2.1/")),
    "a hundred hints first": Told(_ever_more_informed, may_be_true=True),
    "length and chunks": Told(
        _sends(lambda t: head("200 OK", "Content-Length: 5", "Transfer-Encoding: chunked") + chunk(t) + END)
    ),
    "two lengths": Told(_sends(lambda t: head("200 OK", f"Content-Length: {len(t)}", "Content-Length: 9") + t)),
    "a length that is no number": Told(_sends(lambda t: head("200 OK", "Content-Length: many") + t)),
    "a negative length": Told(_sends(lambda t: head("200 OK", "Content-Length: -1") + t)),
    "a length of 200 GB": Told(_sends(lambda t: head("200 OK", "Content-Length: 200000000000") + t)),
    "a header line of 20 kB": Told(_headed("200 OK", "X-Long: " + "x" * 20_000)),
    "ten thousand headers": Told(_sends(lambda t: sized(t).replace(b"\r\n\r\n", f"\r\n{_MANY}\r\n".encode(), 1))),
    "headers without end": Told(_endless_head),
    "a body without end": Told(partial(_endless, piece=lambda t: t[t.index(b"\n") + 1 :] * 20)),
    "a line without end": Told(partial(_endless, piece=lambda _: b"x" * _PIECE)),
    "line ends without end": Told(partial(_endless, piece=lambda _: b"\n" * _PIECE)),
    "a stall before the head": Told(partial(_stall, before="head")),
    "a stall after the head": Told(partial(_stall, before="body")),
    "a stall in the middle": Told(partial(_stall, before="end")),
    "a byte now and then": Told(_drip),
    "a head, a byte now and then": Told(_slow_head),
    "a web page": Told(_whole(lambda _: b"<!DOCTYPE html><html><body>Please log in</body></html>\n" * 50)),
    "an error as JSON": Told(_whole(lambda _: b'{"header":{"error_type":"DISCONNECTED"},"response":[]}\n')),
    "an error as text": Told(_whole(lambda _: b"Internal server error\n")),
    "an error among the rows": Told(_whole(_with_error_inside)),
    "an error behind the rows": Told(_whole(lambda t: t + b"Internal server error")),
    "no data, and then data": Told(_whole(lambda t: b"No data found for your request\n" + t)),
    "an empty body": Told(_raw(sized(b""))),
    "the header alone": Told(_whole(lambda t: _rows(t)[0])),
    "half a header": Told(_whole(lambda t: t[:20])),
    "the rows without their header": Told(_whole(lambda t: b"".join(_rows(t)[1:]))),
    "another symbol": Told(_whole(lambda t: t.replace(b'"QQQ"', b'"SPY"'))),
    "another symbol in one row": Told(_whole(lambda t: b"".join(_rows(t)[:-1]) + _rows(t)[-1].replace(b"QQQ", b"SPY"))),
    "another day": Told(_whole(lambda t: t.replace(b"2024-08-02T", b"2024-08-01T"))),
    "another day in one row": Told(_whole(lambda t: t.replace(b"2024-08-02T", b"2024-08-01T", 1))),
    "a column less": Told(_whole(lambda t: b"".join(row.rpartition(b",")[0] + b"\n" for row in _rows(t)))),
    "a column more": Told(_whole(lambda t: t.replace(b"\n", b",1\n"))),
    "columns in another order": Told(_whole(lambda t: t.replace(b"bid_size,bid_exchange", b"bid_exchange,bid_size"))),
    "UTF-16": Told(_whole(lambda t: t.decode().encode("utf-16"))),
    "a byte order mark": Told(_whole(lambda t: b"\xef\xbb\xbf" + t)),
    "zero bytes": Told(_whole(lambda t: _half(t) + bytes(64) + t[len(t) // 2 + 64 :])),
    "semicolons": Told(_whole(lambda t: t.replace(b",", b";"))),
    "half of the last row": Told(_whole(lambda t: t[:-30])),
    "cut where a row ends": Told(_whole(lambda t: b"".join(_rows(t)[:-3]))),
    "cut where a contract ends": Told(_whole(_without_the_last_contract)),
    "a row twice": Told(_whole(lambda t: t + _rows(t)[-1]), may_be_confirmed=True),
    "everything twice": Told(_whole(lambda t: t + b"".join(_rows(t)[1:])), may_be_confirmed=True),
    "everything twice, header and all": Told(_whole(lambda t: t + t)),
}
