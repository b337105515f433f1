"""The Terminal's session, as a paused run looks after it: is it back, and who may have taken it?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from thetabulk.errors import SessionTaken
from thetabulk.fetch.fetcher import in_thread
from thetabulk.fetch.verdict import Verdict
from thetabulk.run.guard import Look, Sight
from thetabulk.terminal.listeners import Program, listeners, lookalikes

Restart = Callable[[str], Awaitable[None]]
"""Restarts a Terminal that we manage; the text says why."""

_UNWELL = {Verdict.ABORT: Sight.TAKEN, Verdict.PAUSE: Sight.SILENT, Verdict.WAIT: Sight.SILENT}
_HEAD, _TAIL = 20, 50  # characters of a command line: the program, and the jar at its end


async def _nothing_wrong() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Session:
    """`absence` asks for the Terminal's status, and says what is wrong; SessionTaken if it has none. `suspects` (may
    block) names programs that may have taken it. `restart` is there if we manage the Terminal."""

    absence: Callable[[], Awaitable[str]] = _nothing_wrong
    suspects: Callable[[], tuple[str, ...]] = tuple
    restart: Restart | None = None

    async def look(self, answer_about: Callable[[date], Awaitable[Verdict]], day: date) -> Look:
        """The status, and only if that is well something small about a day. A managed Terminal without a session logs
        in again first: the cool-down is over."""
        look = await self._status()
        if look.sight is Sight.TAKEN and self.restart is not None:
            await self.restart("its session was taken, and the cool-down is over")
            look = await self._status()
        if look.sight is not Sight.WELL:
            return look
        return Look(_UNWELL.get(await answer_about(day), Sight.WELL))

    async def named_suspects(self) -> tuple[str, ...]:
        return await in_thread(self.suspects)

    async def _status(self) -> Look:
        try:
            wrong = await self.absence()
        except SessionTaken as taken:
            return Look(Sight.TAKEN, taken.what)
        return Look(Sight.AWAY, wrong) if wrong else Look(Sight.WELL)


def suspects_beside(url: str) -> tuple[str, ...]:
    """A line for each program of this machine that looks like another login of the account, without the Terminal at
    the URL. May take a moment; never raises."""
    asked = {each.program.pid for each in listeners(urlsplit(url).port or 0) if each.program is not None}
    return tuple(_line(program) for program in lookalikes(own=asked))


def _line(program: Program) -> str:
    command = program.command
    if len(command) > _HEAD + _TAIL:
        command = f"{command[:_HEAD]}…{command[-_TAIL:]}"
    since = f", since {program.started:%Y-%m-%d %H:%M} UTC" if program.started else ""
    return f"pid {program.pid}{since}: {command}"
