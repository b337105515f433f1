"""What this machine offers to a supervisor: a Terminal to start, one to find again, a port, and a place to write down
what is ours."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from thetabulk.terminal.child import Child, Life, Orphan
from thetabulk.terminal.command import API_KEY, command_line, scrubbed
from thetabulk.terminal.ending import end
from thetabulk.terminal.listeners import Listener, Program, is_free, listeners, lookalikes
from thetabulk.terminal.ownership import (
    Mark,
    Record,
    family,
    is_ours,
    listens,
    new_token,
    read_record,
    write_record,
)
from thetabulk.terminal.probe import Probe
from thetabulk.terminal.rotation import RotatingLog


class Host(Protocol):
    """See Machine, of which tests have a stand-in."""

    port: int

    def prepare(self) -> "Recipe": ...
    def launch(self, recipe: "Recipe") -> Life: ...
    def orphan(self) -> Life | None: ...
    def has_port(self, life: Life) -> bool: ...
    async def end(self, life: Life | None) -> str: ...
    def port_is_free(self) -> bool: ...
    def owners(self) -> Sequence[Listener]: ...
    def suspects(self, life: Life | None) -> Sequence[Program]: ...
    def remember(self, life: Life | None, details: dict[str, object]) -> None: ...
    def remembered(self) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is started, all of it looked at before: absolute paths, checked Java options. `first_time`: its jar has
    still to fetch the real Terminal, which takes minutes."""

    java: Path
    jar: Path
    creds: Path | None
    options: tuple[str, ...]
    first_time: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a supervisor writes: what is ours, and the Terminal's log. One for each port."""

    record: Path
    log: Path
    log_bytes: int
    log_keep: int


class Machine:
    """This machine. `recipe` is asked for at every start, so that a jar that was changed meanwhile is noticed."""

    def __init__(
        self, *, port: int, recipe: Callable[[], Recipe], place: Place, probe: Probe, grace_s: float,
        environment: Mapping[str, str], supervisor: Mark | None, leashed: bool, monotonic: Callable[[], float],
    ) -> None:  # fmt: skip
        self.port = port
        self._recipe = recipe
        self._place = place
        self._probe = probe
        self._grace_s = grace_s
        self._environment = environment
        self._supervisor = supervisor
        self._leashed = leashed
        self._monotonic = monotonic
        self._left: Mark | None = None

    def prepare(self) -> Recipe:
        """What is to be started, looked at: Java is asked for its version, the jar is read. In a worker thread, since
        that takes seconds. ThetabulkError if there is nothing to start."""
        return self._recipe()

    def launch(self, recipe: Recipe) -> Life:
        """In the main thread. ThetabulkError if it cannot be. The token is written down before there is a process: what
        a crash leaves behind in between is found by it."""
        token = new_token()
        write_record(self._place.record, Record(Mark(0, 0.0, token), self._supervisor, self.remembered()))
        by_key = recipe.creds is None and API_KEY in self._environment
        return Child(
            command_line(recipe.java, recipe.options, recipe.jar, recipe.creds),
            environment=scrubbed(self._environment, token, with_key=by_key),
            folder=recipe.jar.parent, leashed=self._leashed, first_time=recipe.first_time,
            log=RotatingLog(self._place.log, self._place.log_bytes, self._place.log_keep),
        )  # fmt: skip

    def orphan(self) -> Life | None:
        """The Terminal that an earlier supervisor of ours has left behind; or, if only a child of it is left, that."""
        known = read_record(self._place.record).terminal
        if known is None:
            return None
        if is_ours(known):
            return Orphan(known)
        left = family(known.token)
        return Orphan(Mark(left[0].pid, left[0].create_time(), known.token)) if left else None

    def has_port(self, life: Life) -> bool:
        return listens(life.mark.token, self.port)

    async def end(self, life: Life | None) -> str:
        """The means that was needed (ending.py). Should anything of it be left even so (the system does not end who
        waits for a hung drive), then it stays written down as ours."""
        if life is None:
            return ""
        means = await end(
            life, port=self.port, probe=self._probe, grace_s=self._grace_s, monotonic=self._monotonic
        )  # fmt: skip
        self._left = life.mark if await asyncio.to_thread(family, life.mark.token) else None
        return means

    def port_is_free(self) -> bool:
        return is_free(self.port)

    def owners(self) -> Sequence[Listener]:
        return listeners(self.port)

    def suspects(self, life: Life | None) -> Sequence[Program]:
        """Who may have the account's session, without this life and what it has started."""
        own = {life.mark.pid, *(each.pid for each in family(life.mark.token))} if life else ()
        return lookalikes(own)

    def remember(self, life: Life | None, details: dict[str, object]) -> None:
        """Written down at once: what is not known to be ours after a crash is never signalled. NotPermitted."""
        write_record(self._place.record, Record(life.mark if life else self._left, self._supervisor, details))

    def remembered(self) -> dict[str, object]:
        return read_record(self._place.record).details or {}
