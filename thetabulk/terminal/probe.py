"""Small questions to a Terminal: is anybody there, and is it connected? One connection each, then it is closed.

Any HTTP answer of any status is life: 429 says "too many questions", not "dead" (incident 1; reliability.md §1 P1).
"""

import asyncio
from dataclasses import dataclass

import aiohttp

from thetabulk.redaction import without_accounts

STATUS_PATH = "/v3/terminal/mdds/status"
SHUTDOWN_PATH = "/v3/terminal/shutdown"
"""thetadata-v3.md §4.3: both are plain GETs, and neither asks who one is."""

_WORDS = frozenset({"CONNECTED", "DISCONNECTED", "UNVERIFIED", "ERROR"})
_STARTING, _LOST, _TAKEN, _QUIET = 571, 474, 478, 429
_READ_BYTES = 4_096
_HEADERS = {"Connection": "close", "Accept-Encoding": "identity"}
"""What is not asked for packed need not be unpacked: nobody knows whether the Terminal would pack a word."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What came back. `status` is the HTTP status, None if there was no answer at all; `text` its first line, and
    without an answer the reason."""

    status: int | None
    text: str

    @property
    def is_life(self) -> bool:
        return self.status is not None

    @property
    def is_terminal(self) -> bool:
        """Whether it can be a Terminal that answered, and not some other program."""
        return self.text in _WORDS or self.status in (_STARTING, _LOST, _TAKEN, _QUIET)

    @property
    def is_ready(self) -> bool:
        return self.status == 200 and self.text == "CONNECTED"

    @property
    def is_unverified(self) -> bool:
        """No valid session: the credentials were not accepted, or another login has taken it."""
        return self.status == _TAKEN or self.text == "UNVERIFIED"

    @property
    def wants_quiet(self) -> bool:
        return self.status == _QUIET


class Probe:
    """Asks the Terminal at `url` (a base URL without a slash at its end), with `timeout_s` for each question."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s

    async def look(self) -> Sign:
        """The status. Never raises."""
        return await self._get(STATUS_PATH)

    async def ask_to_stop(self) -> Sign:
        """The shutdown request. Only for a Terminal of our own: it stops whoever answers. Never raises."""
        return await self._get(SHUTDOWN_PATH)

    async def _get(self, path: str) -> Sign:
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                aiohttp.ClientSession(trust_env=False, auto_decompress=False) as session,
                session.get(f"{self._url}{path}", allow_redirects=False, headers=_HEADERS) as answer,
            ):
                body = await answer.content.read(_READ_BYTES)
                return Sign(answer.status, _first_line(body))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Sign(None, f"{type(error).__name__}: {error}".rstrip(": "))


def _first_line(body: bytes) -> str:
    lines = body.decode("utf-8", "replace").strip().splitlines()
    return without_accounts(lines[0].strip()[:200]) if lines else ""
