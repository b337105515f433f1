"""The vendor's jar, brought over the network: only when it was asked for by its own command.

The vendor publishes no hash. So the source and the hash of what came are told, the hash is remembered (jar.py), and a
jar that differs from the remembered one replaces nothing until somebody says so.
"""

import asyncio
import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from thetabulk.errors import NotPermitted, TerminalUnavailable, UsageError
from thetabulk.terminal import jar

_BLOCK_BYTES = 1 << 16
_LIMIT_BYTES = 1 << 30
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_OTHERWISE = "bring it with a browser, and use --jar FILE; another source: --from URL"
_TROUBLES = (
    (TimeoutError, "no answer in time"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not valid"),
    (aiohttp.ClientSSLError, "no encrypted connection can be made"),
    (aiohttp.ClientConnectorDNSError, "its host is not found (is this machine online?)"),
    (aiohttp.ClientConnectorError, "no connection can be made (is this machine online?)"),
    (aiohttp.ClientPayloadError, "it broke off in the middle"),
    (aiohttp.ClientConnectionError, "the connection broke off"),
)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """`news`: first (there was none), same (it was there already), replaced. `version` as the jar says, or ""."""

    url: str
    path: Path
    sha256: str
    bytes: int
    version: str
    news: str


async def fetch(
    url: str, target: Path, *, state_folder: Path, expected: str = "", replace: bool = False, timeout_s: float = 60.0,
) -> Fetched:  # fmt: skip
    """The jar at `url` to `target`, whole or not at all, its hash remembered in `state_folder`.

    `timeout_s` is for a connection, and for every stand-still. UsageError for a source that cannot be trusted, a hash
    other than `expected`, or another jar than the known one without `replace`; TerminalUnavailable if it cannot be
    had; NotPermitted if it cannot be written.
    """
    _check_source(url, expected)
    scratch = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        size, found = await _stream(url, scratch, timeout_s)
        version = _version(scratch, url)
        if expected and found != expected.lower():
            raise UsageError(
                f"the jar at {url} has the hash {found}, not the one that you gave", hint="nothing was kept"
            )
        news = await asyncio.to_thread(_news, target, state_folder, found, replace or bool(expected), url)
        if news != "same":
            scratch.replace(target)
        jar.trust(state_folder, target, found)
        return Fetched(url, target, found, size, version, news)
    except OSError as error:
        raise NotPermitted(f"{target} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _check_source(url: str, expected: str) -> None:
    if expected and not _SHA256.fullmatch(expected):
        raise UsageError(f"{expected!r} is no SHA-256", hint="it has 64 hexadecimal digits")
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
    except ValueError:
        host = user = None
        parts = urlsplit("")
    if user or not host or parts.scheme not in ("http", "https"):
        raise UsageError(f"{url!r} is no address of a jar", hint="write it like https://…/ThetaTerminalv3.jar")
    if parts.scheme == "http" and host not in _LOOPBACK and not expected:
        raise UsageError(f"{url} is not encrypted: anybody on the way could change the jar",
                         hint="use https, or say which hash it must have with --sha256")  # fmt: skip


async def _stream(url: str, scratch: Path, timeout_s: float) -> tuple[int, str]:
    """(bytes, SHA-256 in hex) of what is written to `scratch`."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeout_s, sock_read=timeout_s)
    running, size = hashlib.sha256(), 0
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False, auto_decompress=False) as session,
            session.get(url, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if 300 <= answer.status < 400:
                elsewhere = answer.headers.get("Location", "somewhere else")
                raise TerminalUnavailable(
                    f"{url} sends us to {elsewhere}", hint="if that is right, give it with --from"
                )
            if answer.status != 200:
                raise TerminalUnavailable(f"{url} answers HTTP {answer.status}", hint=_OTHERWISE)
            with scratch.open("wb") as stream:
                async for block in answer.content.iter_chunked(_BLOCK_BYTES):
                    size += len(block)
                    if size > _LIMIT_BYTES:
                        raise TerminalUnavailable(f"{url} is larger than any Terminal ({_LIMIT_BYTES:,} bytes)")
                    running.update(block)
                    stream.write(block)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TerminalUnavailable(f"{url} cannot be had: {_trouble(error)}", hint=_OTHERWISE) from error
    return size, running.hexdigest()


def _trouble(error: Exception) -> str:
    """What is wrong, for who does not know aiohttp; special cases first, since they are kinds of the later ones."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return "its host refuses the connection"
    return next((said for kind, said in _TROUBLES if isinstance(error, kind)), "what answers does not speak HTTP")


def _version(scratch: Path, url: str) -> str:
    try:
        return jar.version(scratch)
    except ValueError as error:
        raise TerminalUnavailable(f"what {url} gives is no jar, or a damaged one", hint="nothing was kept") from error


def _news(target: Path, state_folder: Path, found: str, may_replace: bool, url: str) -> str:
    """How what came differs from what is known; UsageError if it does, and may not."""
    there = jar.sha256(target) if target.is_file() else ""
    known = jar.pinned(state_folder, target) or there
    if known and known != found and not may_replace:
        raise UsageError(
            f"the jar at {url} is another one ({found}) than the one that is known for {target} ({known})",
            hint="a new version? look at the vendor's page; then: thetabulk terminal fetch --replace",
        )
    if there == found:
        return "same"
    return "replaced" if there else "first"
