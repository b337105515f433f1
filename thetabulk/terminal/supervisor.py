"""The loop that keeps a Terminal of ours in service: start, watch, end, decide, wait, again.

It never signals a process that it did not start, and never starts one because of an HTTP error: whatever answers is
alive. The decisions are in lifecycle.py, the machine is host.py; here is only the order of things.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from thetabulk.config import TerminalConfig
from thetabulk.errors import AccountError, NotPermitted, SessionTaken, TerminalUnavailable, ThetabulkError
from thetabulk.events import BytesReceived, Emit, Event, Notice, Paused, TerminalStarted, TerminalStopped
from thetabulk.model import Tier
from thetabulk.terminal.causes import Cause, Seen, blame
from thetabulk.terminal.child import Life
from thetabulk.terminal.explaining import explain, owners_text
from thetabulk.terminal.host import Host
from thetabulk.terminal.lifecycle import (
    ACCOUNT,
    Limits,
    Past,
    blamed,
    crowded_s,
    decide,
    ended,
    may_restart,
    started,
)
from thetabulk.terminal.probe import Probe, Sign

PLENTY = 1_000_000
_SLEPT_S = 30.0
_UNVERIFIED = 3  # probes in a row: right after a start it may only be about to log in
_TAIL = 20


@dataclass(frozen=True, slots=True)
class Status:
    """How things stand. `ownership` is owned, adopted or absent; `state` one of absent, starting, ready, waiting (it
    answers, and is not connected), ending, cooling, failed. Times are wall clock, seconds since 1970."""

    ownership: str = "absent"
    state: str = "absent"
    pid: int | None = None
    since: float = 0.0
    cause: str = ""
    message: str = ""
    hint: str = ""
    word: str = ""
    next_try_at: float | None = None
    restarts: int = 0
    tiers: Mapping[str, Tier] | None = None
    requests: int = 0


class Supervisor:
    """One Terminal, on one port. `run` does everything; the rest asks it or tells it something.

    `monotonic` and `wall` are clocks in seconds, `rng` gives chance from 0 to 1. For one event loop, in the main
    thread (child.py). `on_change` is called after every change of `status`: the gate looks again.
    """

    def __init__(
        self, settings: TerminalConfig, host: Host, probe: Probe, *, limits: Limits, monotonic: Callable[[], float],
        wall: Callable[[], float], rng: Callable[[], float], emit: Emit,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._host = host
        self._probe = probe
        self._limits = limits
        self._monotonic = monotonic
        self._wall = wall
        self._rng = rng
        self._emit = emit
        self._sleep = sleep
        self._life: Life | None = None
        self._past = Past()
        self._blamed: Cause | None = None
        self._ready_at = self._bytes_at = float("-inf")
        self._begun_at = 0.0
        self._silent_since: float | None = None
        self._announced = False
        self._unverified = 0
        self.settled = asyncio.Event()  # ready, or answering for long without being connected, or given up
        self.status = Status()
        self.on_change: Callable[[], None] = lambda: None

    # For others

    def capacity(self) -> int:
        """How many requests may be in flight, as far as the Terminal's health goes: for the gate."""
        return PLENTY if self.status.state == "ready" else 0

    def hear(self, event: Event) -> None:
        """Bytes that arrive are a sign of life, and spare a probe. A run that pauses because its session was taken
        has heard it from a data request."""
        if isinstance(event, BytesReceived):
            self._bytes_at = self._monotonic()
        elif isinstance(event, Paused) and event.cause == SessionTaken.__name__:
            self.session_taken()

    def session_taken(self) -> None:
        """A data request was told that another login has the session: our Terminal is ended, and tried again after
        the cool-down. Nothing happens to one that is not ours."""
        if self.status.ownership == "owned":
            self._blamed = Cause.SESSION

    async def restart(self, cause: str) -> None:
        """Called while nothing is in flight: ends it and starts it anew; returns when it is connected again, or given
        up. Without effect, and said so, if it is not ours, if its session was taken (then the cool-down decides), or
        if too many restarts would leave none for a need."""
        why = ""
        if self.status.ownership != "owned":
            why = "the Terminal is not ours"
        elif self._unverified or self.status.state == "cooling":
            why = "another login has its session"
        elif not may_restart(self._past, now=self._monotonic(), limits=self._limits):
            why = "there were enough of them lately"
        if why:
            self._emit(Notice(f"no restart ({cause}): {why}", "warning"))
            return
        self.settled.clear()
        self._blamed = self._blamed or Cause.ASKED  # a session that was taken just now has its cool-down
        await self.settled.wait()

    async def stop(self) -> str:
        """Ends our Terminal, if there is one; the means that was needed. One that is not ours goes on. What was the
        matter stays written down only if it was not over."""
        before = self.status.state
        self._tell(state="ending") if self._life else None
        means = await self._host.end(self._life)
        adopted = self.status.ownership == "adopted"
        self._life = None
        if not adopted:
            if before not in ("cooling", "failed"):
                self._tell(cause="", message="", hint="")
            state = "failed" if before == "failed" else "absent"
            self._tell(ownership="absent", state=state, pid=None, word="")
        return means

    async def run(self) -> None:
        """Until it is cancelled. Raises AccountError or TerminalUnavailable when there is no use in another try."""
        try:
            is_first = self._recall()
            if await self._found():
                await self._accompany()
                return
            if not is_first and self._life is None:
                self._keep_distance()
            await self._cool_down()
            if not is_first and self._life is None:
                self._past = started(self._past, self._monotonic(), self._limits)
            cause = await self._start()
            while True:
                cause = cause or await self._watch()
                await self._end(cause)
                await self._cool_down()
                self._past = started(self._past, self._monotonic(), self._limits)
                cause = await self._start()
        except ThetabulkError as error:
            self._tell(state="failed", message=error.what, hint=error.hint)
            raise
        finally:
            self.settled.set()

    # One after the other

    async def _found(self) -> bool:
        """Whether somebody else's Terminal answers here. What we left behind is taken over, or ended."""
        sign = await self._probe.look()
        orphan = await asyncio.to_thread(self._host.orphan)
        if orphan is not None:
            if (sign.is_ready or sign.wants_quiet) and await asyncio.to_thread(self._host.has_port, orphan):
                self._emit(Notice(f"going on with our Terminal, which outlived its supervisor (pid {orphan.mark.pid})"))
                self._own(orphan)
                return False
            means = await self._host.end(orphan)
            self._emit(Notice(f"ended what was left of our last Terminal (pid {orphan.mark.pid}: {means})"))
            sign = await self._probe.look()
        if not sign.is_life:
            return False
        owners = await asyncio.to_thread(self._host.owners)
        if not sign.is_terminal:
            raise TerminalUnavailable(
                f"what answers at port {self._host.port} is not a Theta Terminal (HTTP {sign.status}): "
                f"{owners_text(owners)}",
                hint="use another port (--url), or stop it",
            )
        pid = next((owner.program.pid for owner in owners if owner.program), None)
        self._tell(ownership="adopted", state="ready", pid=pid, word=sign.text)
        self._emit(TerminalStarted("adopted", self._host.port, pid, 0.0, 0))
        self._emit(Notice(f"using the Terminal that runs already ({owners_text(owners)}); it is not ours, and never "
                          "stopped"))  # fmt: skip
        self.settled.set()
        return True

    async def _accompany(self) -> None:
        """An adopted Terminal is only used. Whoever asks it for data sees how it is."""
        while True:
            await self._sleep(3_600)

    async def _start(self) -> Cause | None:
        """A new Terminal that answers; or why there is none. An orphan that was taken over answers already."""
        if self._life is not None:
            return None
        begun = self._begun_at = self._monotonic()
        self._announced = False
        self._tell(ownership="absent", state="starting", pid=None, next_try_at=None, word="")
        if not await self._port_free():
            return Cause.PORT
        recipe = await asyncio.to_thread(self._host.prepare)
        self._own(self._host.launch(recipe))
        life = self._life
        assert life is not None
        patience_s = self._settings.start_limit_s if life.first_time else self._settings.start_timeout_s
        heard_at, lines, pace_s = begun, 0, self._settings.probe_first_s
        look_at = begun
        while True:
            await self._sleep(self._settings.tick_s)
            now = self._monotonic()
            if life.has_ended():
                return blame(Cause.EXIT, life.seen, life.code)
            if self._blamed is not None:
                return self._blamed
            if life.lines != lines:
                lines, heard_at = life.lines, now
            if now >= look_at:
                sign = await self._probe.look()
                if sign.is_life and await asyncio.to_thread(self._host.has_port, life):
                    self._signed(sign)  # connected or not is for the watch
                    return None
                pace_s = min(pace_s * 1.5, self._settings.probe_every_s)
                look_at = self._monotonic() + (self._limits.quiet_s if sign.wants_quiet else pace_s)
            if now - heard_at > patience_s or now - begun > self._settings.start_limit_s:
                return blame(Cause.LATE, life.seen)

    async def _watch(self) -> Cause:
        """Returns when our Terminal is to be ended, or has ended. Any answer of any status is life, and data are; no
        probe is sent while they flow."""
        life = self._life
        assert life is not None
        checked_at = look_at = self._monotonic()
        wall_at = self._wall()
        self._silent_since, self._unverified = None, 0
        pace_s = self._settings.probe_first_s
        while True:
            await self._sleep(self._settings.tick_s)
            now, wall = self._monotonic(), self._wall()
            if max(now - checked_at, wall - wall_at) > _SLEPT_S:
                self._silent_since, look_at = None, now  # nothing ran here: its silence says nothing
            checked_at, wall_at = now, wall
            if life.has_ended():
                return blame(Cause.EXIT, life.seen, life.code)
            if self._blamed is not None:
                return self._blamed
            if self.status.state == "ready" and now - self._bytes_at < self._settings.probe_every_s:
                self._silent_since = None
            elif now >= look_at:
                sign = await self._probe.look()
                if not sign.is_life and self._silent_since is None:
                    self._silent_since = now
                self._unverified = self._unverified + 1 if sign.is_unverified else 0
                pace_s = self._next_pace(sign, pace_s)
                look_at = self._monotonic() + pace_s
                self._signed(sign)
                if self._unverified >= _UNVERIFIED or (self._unverified and life.seen.cause in ACCOUNT):
                    return blame(Cause.SESSION, life.seen)
            if self._silent_since is not None and self._monotonic() - self._silent_since > self._settings.hang_s:
                return blame(Cause.HANG, life.seen)

    async def _end(self, cause: Cause) -> None:
        """Ends what is left of it, and says what comes next. Raises if nothing does."""
        life, now = self._life, self._monotonic()
        seen = life.seen if life else Seen()
        owners = await asyncio.to_thread(self._host.owners) if cause is Cause.PORT else ()
        suspects = await asyncio.to_thread(self._host.suspects, life) if cause is Cause.SESSION else ()
        since = self._silent_since if cause is Cause.HANG else self._begun_at
        code = life.code if life and life.has_ended() else None
        message, hint = explain(
            cause, seen=seen, code=code, port=self._host.port, waited_s=now - (since or now), owners=owners,
            suspects=suspects, tail=life.tail(_TAIL) if life else (),
        )  # fmt: skip
        self._tell(state="ending", cause=cause, message=message, hint=hint)
        await self._host.end(life)
        calm_s = now - self._ready_at if self._announced else 0.0
        self._past = ended(self._past, calm_s=calm_s, limits=self._limits)
        decision = decide(self._past, cause, now=now, chance=self._rng(), limits=self._limits)
        self._past = blamed(self._past, cause, now)
        self._life, self._blamed = None, None
        self._announced = False
        wait_s = decision.wait_s if not decision.final else 0.0
        self._tell(
            ownership="absent", state="failed" if decision.final else "cooling", pid=None, word="",
            next_try_at=None if decision.final else self._wall() + wait_s,
        )  # fmt: skip
        self._emit(TerminalStopped(cause, message, hint, None if decision.final else wait_s, decision.why))
        if decision.final:
            kind = AccountError if cause in ACCOUNT else TerminalUnavailable
            raise kind(f"{message}; {decision.why}", hint=hint)

    async def _cool_down(self) -> None:
        """Waits for the next try."""
        at = self.status.next_try_at
        if at is None or self._life is not None:
            return
        until = self._monotonic() + max(0.0, at - self._wall())
        while (left := until - self._monotonic()) > 0:
            await self._sleep(min(left, self._settings.tick_s))

    async def _port_free(self) -> bool:
        """Waits a while for the port, and says who has it."""
        until = self._monotonic() + self._settings.port_wait_s
        told = False
        while not await asyncio.to_thread(self._host.port_is_free):
            if not told:
                told = True
                owners = await asyncio.to_thread(self._host.owners)
                self._emit(
                    Notice(f"port {self._host.port} is taken by {owners_text(owners)}; waiting for it", "warning")
                )
            if self._monotonic() >= until:
                return False
            await self._sleep(self._settings.tick_s)
        return True

    # What is known

    def _own(self, life: Life) -> None:
        self._life = life
        self._tell(ownership="owned", state="starting", pid=life.mark.pid, since=self._wall())

    def _signed(self, sign: Sign) -> None:
        """What an answer says of its state: 429 says nothing about a connection."""
        if not sign.is_life:
            return
        self._silent_since = None
        before = self.status.state
        state = "ready" if sign.is_ready or (sign.wants_quiet and before == "ready") else "waiting"
        word = sign.text or f"HTTP {sign.status}"
        if state == "ready" and before != "ready":
            self._ready_at = self._monotonic()
            if self._life is not None:
                self._life.pardon()
        if state != before or word != self.status.word:
            seen = self._life.seen if self._life else Seen()
            self._tell(state=state, word=word, tiers=seen.tiers, requests=seen.requests or 0)
        if state == "ready" and not self._announced:
            self._announce()
        elif self._announced and {before, state} == {"ready", "waiting"}:
            lost = f"the Terminal is not connected ({word}): no requests until it is"
            self._emit(Notice(lost, "warning") if state == "waiting" else Notice("the Terminal is connected again"))
        settled = state == "ready" or self._wall() - self.status.since > self._settings.start_timeout_s
        if settled and self._blamed is None:  # else it is about to be ended
            self.settled.set()

    def _announce(self) -> None:
        self._announced = True
        status = self.status
        tiers = tuple((asset, tier.text) for asset, tier in (status.tiers or {}).items())
        seconds = max(0.0, self._wall() - status.since)
        self._emit(TerminalStarted(
            "owned", self._host.port, status.pid, seconds, status.restarts, tiers, status.requests
        ))  # fmt: skip

    def _next_pace(self, sign: Sign, pace_s: float) -> float:
        """Seconds until the next probe: quiet after a 429, slower and slower while it is not connected."""
        if sign.wants_quiet:
            return self._limits.quiet_s
        if sign.is_ready:
            return self._settings.probe_every_s
        if not sign.is_life:
            return self._settings.probe_first_s
        first_s, most_s = self._settings.poll_first_s, self._settings.poll_max_s
        return min(most_s, max(first_s, pace_s * 2)) if self.status.state == "waiting" else first_s

    def _tell(self, **changes: object) -> None:
        self.status = replace(self.status, restarts=len(self._past.restarts), **changes)  # type: ignore[arg-type]
        if self.status.state in ("starting", "cooling", "ending"):
            self.settled.clear()
        if self.status.ownership != "adopted":
            self._remember()
        self.on_change()

    def _remember(self) -> None:
        with suppress(NotPermitted):  # the next start will not know; nothing else is lost
            self._write_down()

    def _write_down(self) -> None:
        status, wall, now = self.status, self._wall(), self._monotonic()
        self._host.remember(self._life, {
            "port": self._host.port, "ownership": status.ownership, "state": status.state, "pid": status.pid,
            "since": status.since, "cause": status.cause, "message": status.message, "hint": status.hint,
            "word": status.word, "next_try_at": status.next_try_at, "restarts": status.restarts,
            "tiers": {asset: tier.text for asset, tier in (status.tiers or {}).items()}, "requests": status.requests,
            "restarts_at": [wall - (now - at) for at in self._past.restarts],
            "causes": [str(cause) for cause in self._past.causes],
        })  # fmt: skip

    def _keep_distance(self) -> None:
        """A start after a supervisor that was killed, or has given up, is one more restart: a service that starts
        supervisors again must not get around the limits."""
        wait_s = crowded_s(self._past, now=self._monotonic(), limits=self._limits)
        at = self._wall() + wait_s
        if wait_s and at > (self.status.next_try_at or 0.0):
            message = f"the Terminal was restarted {len(self._past.restarts)} times lately"
            self._tell(state="cooling", message=message, hint="--now does not wait", next_try_at=at)
            self._emit(Notice(f"{message}: the next try is in {wait_s:.0f} s", "warning"))

    def _recall(self) -> bool:
        """The cool-down and the restarts that an earlier supervisor has written down count for this one too. Whether
        there was none, or it has ended in good order."""
        told, wall, now = self._host.remembered(), self._wall(), self._monotonic()
        with suppress(TypeError, ValueError, KeyError):
            ages = [wall - float(at) for at in told["restarts_at"]]  # type: ignore[attr-defined]
            self._past = Past(tuple(now - age for age in ages if 0 <= age < self._limits.most_s))
            at, cause = told["next_try_at"], told["cause"]
            if at is not None and cause in (Cause.SESSION, Cause.RATE) and float(at) > wall:  # type: ignore[arg-type]
                longest_s = max(self._limits.session_max_s, self._limits.quiet_s)  # the clock may have been set back
                at = min(float(at), wall + longest_s)  # type: ignore[arg-type]
                self._tell(state="cooling", cause=cause, message=told["message"], hint=told["hint"], next_try_at=at)
                self._emit(Notice(f"{told['message']}: the next try is in {at - wall:.0f} s", "warning"))
        return told.get("state") in (None, "absent")
