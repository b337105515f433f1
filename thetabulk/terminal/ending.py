"""How a Terminal of ours is ended: asked, then TERM, then KILL, until nothing of it is left and its port is free."""

import asyncio
from collections.abc import Awaitable, Callable

from thetabulk.terminal.child import Life
from thetabulk.terminal.listeners import is_free
from thetabulk.terminal.ownership import family, listens, signal_family
from thetabulk.terminal.probe import Probe

_POLL_S = 0.1
_KILL_S = 10.0


async def end(
    life: Life, *, port: int, probe: Probe, grace_s: float,
    monotonic: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> str:  # fmt: skip
    """Ends the Terminal and everything that carries its token, and nothing else; the last means that was needed: "",
    asked, TERM, KILL.

    `grace_s` is how long each of the first two means may take. The shutdown request is sent only if one of ours has the
    port: whoever hears it stops.
    """
    token = life.mark.token

    def is_gone() -> bool:
        return life.has_ended() and not family(token)

    def signal(*, kill: bool) -> None:
        if life.mark.pid not in signal_family(token, kill=kill):
            life.signal(kill=kill)

    async def within(seconds: float, is_over: Callable[[], bool]) -> bool:
        until = monotonic() + seconds
        while not await asyncio.to_thread(is_over):
            if monotonic() >= until:
                return False
            await sleep(_POLL_S)
        return True

    if await asyncio.to_thread(is_gone):
        return ""
    means = ""
    if await asyncio.to_thread(listens, token, port):
        means = "asked"
        answer = await probe.ask_to_stop()
        if answer.status == 200 and await within(grace_s, is_gone):
            await within(grace_s, lambda: is_free(port))
            return means
    means = "TERM"
    await asyncio.to_thread(signal, kill=False)
    if not await within(grace_s, is_gone):
        means = "KILL"

        def kill() -> bool:  # again and again: it may have made another child meanwhile
            signal(kill=True)
            return is_gone()

        await within(_KILL_S, kill)
    await within(grace_s, lambda: is_free(port))
    return means
