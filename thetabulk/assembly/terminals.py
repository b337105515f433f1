"""A Terminal of our own, wired: who supervises it, and a run that has one for its length."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from thetabulk import config as settings
from thetabulk import state as remembered
from thetabulk.assembly import clock
from thetabulk.assembly.contact import Held
from thetabulk.assembly.recipes import recipe_of
from thetabulk.assembly.signals import heard, leaving
from thetabulk.config import Config, TerminalConfig
from thetabulk.errors import UsageError
from thetabulk.events import Emit, Event, Notice
from thetabulk.fetch.url import check_url
from thetabulk.terminal import keeper
from thetabulk.terminal.host import Machine, Place
from thetabulk.terminal.lifecycle import Limits
from thetabulk.terminal.ownership import read_record
from thetabulk.terminal.probe import Probe
from thetabulk.terminal.supervisor import PLENTY, Supervisor


def place_of(config: TerminalConfig, port: int, state: Path) -> Place:
    folder = state / "terminal"
    return Place(folder / f"{port}.json", folder / f"{port}.log", config.log_bytes, config.log_keep)


def lock_of(place: Place) -> Path:
    return place.record.with_suffix(".lock")


def limits_of(config: Config) -> Limits:
    terminal, session_s = config.terminal, config.run.session_cooldown_s
    return Limits(
        terminal.restart_first_s, terminal.restart_max_s, terminal.restarts_few, terminal.restarts_few_s,
        terminal.restarts_most, terminal.restarts_most_s, terminal.stable_s, session_s, terminal.session_max_s,
        terminal.quiet_s,
    )  # fmt: skip


def local_port(config: TerminalConfig) -> tuple[str, int]:
    """The base URL and its port; UsageError if it is not on this machine: only there anything can be started."""
    url = check_url(config.url, config.allow_remote)
    if url.remote:
        raise UsageError(f"{url} is another machine: a Terminal is started and stopped on its own machine only")
    return str(url), urlsplit(str(url)).port or 80


def machine_of(config: Config, *, leashed: bool) -> Machine:
    """This machine, for the port of the configured URL."""
    terminal = config.terminal
    url, port = local_port(terminal)
    environment = settings.environment()
    return Machine(
        port=port, recipe=partial(recipe_of, terminal, environment, Path.home(), remembered.state_folder()),
        place=place_of(terminal, port, remembered.state_folder()), probe=Probe(url, terminal.probe_timeout_s),
        grace_s=terminal.stop_grace_s, environment=environment, supervisor=keeper.own_mark(environment),
        leashed=leashed, monotonic=clock.monotonic,
    )  # fmt: skip


def supervisor_of(config: Config, emit: Emit, machine: Machine) -> Supervisor:
    url, _ = local_port(config.terminal)
    return Supervisor(
        config.terminal, machine, Probe(url, config.terminal.probe_timeout_s), limits=limits_of(config),
        monotonic=clock.monotonic, wall=clock.wall, rng=clock.rng, emit=emit,
    )  # fmt: skip


class Keeping:
    """A Terminal for the length of a run, as far as it is ours: without a supervisor nothing is known of it here, and
    nothing done about it."""

    def __init__(self, supervisor: Supervisor | None = None, task: "asyncio.Task[None] | None" = None) -> None:
        self._supervisor = supervisor
        self._task = task

    @property
    def restart(self) -> Callable[[str], Awaitable[None]] | None:
        """There is one if the Terminal is ours."""
        ours = self._supervisor is not None and self._supervisor.status.ownership == "owned"
        return self._supervisor.restart if self._supervisor is not None and ours else None

    def held(self, held: Held) -> Held:
        """The subscription as the banner of our Terminal says it, unless something has told it already: a start-up
        banner is the authority (thetadata-v3.md §1.5)."""
        status = self._supervisor.status if self._supervisor is not None else None
        tier = (status.tiers or {}).get("option") if status is not None else None
        if status is None or tier is None or not held.assumed:
            return held
        return Held(tier, assumed=False, at_once=status.requests or None)

    def capacity(self) -> int:
        """For the gate: 0 while it is not connected."""
        return self._supervisor.capacity() if self._supervisor is not None else PLENTY

    def tell_changes(self, changed: Callable[[], None]) -> None:
        """Call this after every change of `capacity`."""
        if self._supervisor is not None:
            self._supervisor.on_change = changed

    def telling(self, emit: Emit) -> Emit:
        """The same listener, with the supervisor listening too."""
        supervisor = self._supervisor
        if supervisor is None:
            return emit

        def tell(event: Event) -> None:
            emit(event)
            supervisor.hear(event)

        return tell

    async def failure(self) -> None:
        """Never returns; raises what the supervisor gives up with."""
        if self._task is not None:
            await asyncio.shield(self._task)
        await asyncio.Event().wait()

    async def settled(self) -> None:
        """Returns when the Terminal is connected, or answers without being so for long. Raises like `failure`."""
        if self._supervisor is None or self._task is None:
            return
        waiting = asyncio.ensure_future(self._supervisor.settled.wait())
        try:
            await asyncio.wait((waiting, self._task), return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                self._task.result()
        finally:
            waiting.cancel()


@asynccontextmanager
async def managed(config: Config, emit: Emit) -> AsyncIterator[Keeping]:
    """`--manage-terminal`: inside the block a Terminal answers, as far as that can be had; ours ends with the block.

    Raises what there is no use in trying again (7, 8). A Terminal that somebody else has started is used, said so, and
    left running.
    """
    machine = machine_of(config, leashed=True)
    place = place_of(config.terminal, machine.port, remembered.state_folder())
    with keeper.turn(lock_of(place)) as ours:
        if not ours:
            details = read_record(place.record).details or {}
            emit(Notice(f"another thetabulk looks after the Terminal (pid {details.get('pid') or '?'}): it is used"))
            yield Keeping()
            return
        supervisor = supervisor_of(config, emit, machine)
        task = asyncio.create_task(supervisor.run())
        try:
            keeping = Keeping(supervisor, task)
            await keeping.settled()
            yield keeping
        finally:
            with heard(leaving(lambda _: None)):  # it ends already
                await _ended(task)
                await supervisor.stop()  # without a word: the run's last one has been said


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()  # it was told before, or will be


def supervise(config: Config, emit: Emit, begin: Callable[[], None]) -> int:
    """`terminal start --foreground`: until a signal, or until there is no use in another try (raises). `begin` is done
    once nobody else looks after the Terminal."""

    async def until_told() -> None:
        told = asyncio.Event()
        with heard(lambda _: told.set()):
            machine = machine_of(config, leashed=False)
            supervisor = supervisor_of(config, emit, machine)
            task = asyncio.create_task(supervisor.run())
            waiting = asyncio.ensure_future(told.wait())
            try:
                await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    task.result()
            finally:
                waiting.cancel()
                await _ended(task)
                await supervisor.stop()

    _, port = local_port(config.terminal)
    with keeper.turn(lock_of(place_of(config.terminal, port, remembered.state_folder()))) as ours:
        if not ours:
            raise UsageError("the Terminal is looked after already", hint="thetabulk terminal status")
        begin()
        asyncio.run(until_told())
    return 0
