"""A run: download, resume, update. From settings to exit code, with everything wired in between."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path

from thetabulk.assembly import clock, contact, limits, probing, stores, terminals
from thetabulk.assembly.awake import kept_awake
from thetabulk.assembly.contact import Held
from thetabulk.assembly.drive_pace import DrivePace
from thetabulk.assembly.incidents import Incidents
from thetabulk.assembly.listing import ask_missing_lists
from thetabulk.assembly.parts import Grids, Hold, RunParts
from thetabulk.assembly.profiles import follow, held_by, profile_in
from thetabulk.assembly.promises import Promises
from thetabulk.assembly.pulse import Pulse
from thetabulk.assembly.reconciling import reconcile_store
from thetabulk.assembly.run_log import logged
from thetabulk.assembly.session import Restart, Session, suspects_beside
from thetabulk.assembly.signals import heard, leaving, until_told
from thetabulk.assembly.slowness import Slowness
from thetabulk.assembly.statuses import status_rows
from thetabulk.assembly.stores import Store
from thetabulk.assembly.sums import write_sums
from thetabulk.assembly.terminals import Keeping
from thetabulk.assembly.watchdog import Watchdog
from thetabulk.assembly.wishes import Wish, job_of, up_to, wish_of, wish_of_jobs, wish_of_shards
from thetabulk.config import Config, Resolved
from thetabulk.errors import DriveGone, SessionTaken, ThetabulkError, UsageError, worst
from thetabulk.events import Emit, Event, Notice, Paused, Resumed, RunFinished, RunStarted, ShardFinished
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.client import Client
from thetabulk.fetch.decline import Decline
from thetabulk.fetch.fetcher import Fetcher, in_thread
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.limit import Limit
from thetabulk.fetch.url import check_url
from thetabulk.fetch.verdict import tier_in
from thetabulk.model import Boundary, Collection, Failed, Outcome, Proof, Refused, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.planner import Plan, build_plan, failed_days, standing
from thetabulk.plan.profile import Profile
from thetabulk.report.tally import Tally
from thetabulk.run.pipeline import Ending, Pipeline
from thetabulk.run.walk import Walk
from thetabulk.run.watch import Watch
from thetabulk.terminal.process import SimulatorProcess, memory_percent

QUEUED = 2
"""So many more than the account allows: a queued request hides a gap, and heals a wrong table (design §6)."""

COMMITTING = 2
"""So many more days than transfers may be under way: those that are checked and committed hold no slot, but memory."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a run is asked for beyond its settings. `simulator` are the arguments of a simulator to be started; with
    `only`, exactly these days are wanted, and no job is recorded (`verify --repair`). `probe` says whether the first
    download of a store begins with first contact; None: that is only proposed, in a sentence."""

    command: str = "download"
    simulator: tuple[str, ...] | None = None
    failed_only: bool = False
    recheck: bool = False
    only: tuple[Shard, ...] = ()
    probe: bool | None = None


def run(resolved: Resolved, orders: Orders, emit: Emit, restart: Restart | None = None) -> int:
    """Runs until nothing is left, or the run is stopped. Returns the exit code; raises ThetabulkError for what ended
    the run before it could begin. `restart` is there if the Terminal is ours to restart."""
    with ExitStack() as stack:
        emit = stack.enter_context(logged(resolved.config, emit))
        if orders.simulator is not None:
            process = stack.enter_context(SimulatorProcess(["--port", "0", *orders.simulator]))
            terminal = replace(resolved.config.terminal, url=process.url)
            resolved = replace(resolved, config=replace(resolved.config, terminal=terminal))
        awake = stack.enter_context(kept_awake(resolved.config.screen.keep_awake))
        return asyncio.run(_run(resolved, orders, emit, awake, restart))


async def _run(resolved: Resolved, orders: Orders, emit: Emit, awake: bool, restart: Restart | None) -> int:
    """With a Terminal of our own around it, if that is wished (`--manage-terminal`)."""
    if not resolved.config.terminal.manage or orders.simulator is not None:
        return await _Run(resolved, orders, emit, awake, restart).run()
    return await until_told(_managed(resolved, orders, emit, awake, restart))


async def _managed(resolved: Resolved, orders: Orders, emit: Emit, awake: bool, restart: Restart | None) -> int:
    async with terminals.managed(resolved.config, emit) as keeping:
        return await _Run(resolved, orders, keeping.telling(emit), awake, restart or keeping.restart, keeping).run()


class _Run:
    def __init__(
        self, resolved: Resolved, orders: Orders, emit: Emit, awake: bool, restart: Restart | None = None,
        keeping: Keeping | None = None,
    ) -> None:  # fmt: skip
        self._resolved = resolved
        self._keeping = keeping or Keeping()
        self._config: Config = resolved.config
        self._orders = orders
        self._awake = awake
        self._restart = restart
        self._awaited: ThetabulkError | None = None
        self._awaited_since = 0.0
        self._tally = Tally()
        self._ending = Ending()
        self._listeners: list[Callable[[Event], None]] = [self._tell_tally, emit]
        self._incidents = self._watched()
        self._listeners.append(self._incidents.hear)
        self._held: Held = self._keeping.held(contact.held_tier(self._config.terminal))
        self._calendar = Calendar.load()
        self._settled = self._calendar.settled(clock.now())

    def _watched(self) -> Incidents:
        def days_left() -> int:
            days = self._tally.days()
            return days["left"] + days["failed"]

        settings = self._config.incident
        watch = Watch(settings, days_left=days_left, managed=self._restart is not None)
        return Incidents(
            settings, watch, days_left=days_left, emit=self._emit, monotonic=clock.monotonic, now=clock.now
        )  # fmt: skip

    async def run(self) -> int:
        async with self._incidents.running():
            return await self._from_the_start()

    async def _from_the_start(self) -> int:
        url = check_url(self._config.terminal.url, self._config.terminal.allow_remote)
        for note in filter(None, (url.note, "requests go to another machine" if url.remote else "")):
            self._emit(Notice(note))
        fetch, note = limits.fit_open_files(self._config.fetch, beside=COMMITTING)
        self._config = replace(self._config, fetch=fetch)
        if note:
            self._emit(Notice(note, "warning"))
        wish = None
        if self._orders.command == "download":
            wish = wish_of(self._config.job, self._settled, self._held.tier)
        path, note = stores.locate(self._resolved, simulated=self._orders.simulator is not None)
        if note:
            self._emit(Notice(note))
        with ExitStack() as stack:
            async with Client(str(url), self._config.fetch) as client:
                store = None
                if self._orders.command != "download" or stores.exists(path) or stores.is_known(path):
                    store = await self._open(stack, path)
                    stores.refuse_mirror(store.volume.root)
                    stores.check_fits(store.volume, self._resolved)
                await self._meet(client, str(url))
                source = "terminal" if client.simulator is None else "simulator"
                if wish is None:
                    assert store is not None
                    wish = self._recorded_wish(store)
                await self._check_symbols(client, wish)  # before a store is made for a slip of the finger
                if store is None:
                    stores.make(path, self._config.store, source)
                    store = await self._open(stack, path)
                stores.check_fits(store.volume, self._resolved, source)
                await self._wait_for_room(store)
                profile = await self._profile(store, wish, source, str(url))
                follow(client, profile)
                return await self._work(client, store, self._told_by(profile, wish), source, str(url), profile)

    # Before the first request for data

    async def _open(self, stack: ExitStack, path: Path) -> Store:
        """The store; with `--wait`, when its drive is there."""
        while True:
            try:
                store = stack.enter_context(stores.opened(path, self._config.store, write=True))
                self._tell_wait(None)
                return store
            except DriveGone as error:
                if not self._config.terminal.wait:
                    raise
                self._tell_wait(error)
                await asyncio.sleep(self._config.run.pause_poll_s)

    async def _meet(self, client: Client, url: str) -> None:
        """The Terminal, connected. An account without a session ends it here, with who may have it."""
        try:
            await contact.meet(client, url, self._config.terminal, waiting=self._tell_wait)
        except SessionTaken as taken:
            suspects = await in_thread(suspects_beside, url)
            taken.hint = "\n".join((taken.hint, *(f"on this machine: {one}" for one in suspects)))
            raise
        self._tell_wait(None)

    async def _check_symbols(self, client: Client, wish: Wish) -> None:
        symbols = dict.fromkeys(collection.symbol for collection in wish.collections)
        if missing := await contact.check_symbols(client, symbols):
            self._emit(Notice(missing, "warning"))

    async def _wait_for_room(self, store: Store) -> None:
        while (obstacle := await in_thread(store.obstacle)) is not None:
            if not self._config.terminal.wait:
                raise obstacle
            self._tell_wait(obstacle)
            await asyncio.sleep(self._config.run.pause_poll_s)
        self._tell_wait(None)

    def _tell_wait(self, problem: ThetabulkError | None) -> None:
        """What is waited for at the start is a pause like any other; None: it is over."""
        before, self._awaited = self._awaited, problem
        if problem is not None and (before is None or before.what != problem.what):
            self._awaited_since = self._awaited_since if before else clock.monotonic()
            self._emit(Paused(type(problem).__name__, problem.what, problem.hint, "looks again and again (--wait)"))
        elif problem is None and before is not None:
            self._emit(Resumed(type(before).__name__, clock.monotonic() - self._awaited_since))

    async def _profile(self, store: Store, wish: Wish, source: str, url: str) -> Profile:
        """What is known of this vendor; before the first job of a store, first contact or a word about it. The word
        also where days were lacking, and nobody has asked whether that is how they are."""
        if store.ledger.profile or source != "terminal":
            return profile_in(store)
        new = self._orders.command == "download" and not store.ledger.days
        if new and self._orders.probe:
            self._emit(Notice("first contact: small questions for about two minutes, before the first day"))
            return await probing.learn(self._config, url, store, self._emit, wish.collections[0].symbol)
        if (new and self._orders.probe is None) or any(_lacked(entry.outcome) for entry in store.ledger.days.values()):
            self._emit(Notice(probing.PROPOSAL))
        return Profile()

    def _told_by(self, profile: Profile, wish: Wish) -> Wish:
        """The tier that the profile knows counts for the whole run, also for where a range begins that nobody said."""
        assumed, self._held = self._held, held_by(self._held, profile)
        if self._orders.command != "download" or self._held is assumed:
            return wish
        return wish_of(self._config.job, self._settled, self._held.tier)

    def _recorded_wish(self, store: Store) -> Wish:
        if self._orders.only:
            return wish_of_shards(self._orders.only)
        jobs = list(store.ledger.jobs.values())
        if not jobs:
            raise UsageError(
                f"{store.volume.root} has no job to go on with", hint="thetabulk download SYMBOL begins one"
            )
        if self._orders.command == "update":
            jobs = up_to(jobs, self._settled[-1])
        return wish_of_jobs(jobs, self._settled)

    # The run

    async def _work(
        self, client: Client, store: Store, wish: Wish, source: str, url: str, profile: Profile
    ) -> int:  # fmt: skip
        for note in (*store.notes, *wish.notes):
            self._emit(Notice(note))
        for note in limits.too_large_days(store, wish.days):
            self._emit(Notice(note, "warning"))
        grids = Grids(self._calendar, profile)
        for note in await in_thread(reconcile_store, store, shards_of(wish), grids):
            self._emit(Notice(note, "warning"))
        self._record_job(store, wish)
        if self._orders.failed_only and not failed_days(wish.days, store.ledger.days):
            self._emit(Notice("no day has failed"))
            return self._finish(store, wish, None)
        machinery = _Machinery(
            self._config, self._held, client, store, grids, self._emit, self._listeners, self._restart, self._keeping
        )  # fmt: skip
        self._listeners.append(Promises(store.durability, self._emit).hear)
        await self._probe_boundaries(store, machinery.parts, wish)
        plan = self._plan(store, wish)
        self._emit(self._started(store, wish, plan, source, url))
        error = None
        try:
            await self._walk(machinery, store, wish, plan)
            if not self._ending.codes:
                await ask_missing_lists(store, machinery.parts.contracts, shards_of(wish), self._emit)
        except* ThetabulkError as group:
            error = first_error(group)
        return self._finish(store, wish, error)

    def _plan(self, store: Store, wish: Wish) -> Plan:
        plan = build_plan(
            wish.days, store.ledger.days, store.boundaries, settled=self._settled, now=clock.now(),
            tier=self._held.tier.text, recheck=self._orders.recheck, settle_sessions=self._config.run.settle_sessions,
        )  # fmt: skip
        if not self._orders.failed_only:
            return plan
        return replace(plan, todo=tuple(shard for shard in plan.todo if shard in plan.failed))

    def _walk_over(self, store: Store, collection: Collection, days: Sequence[date], plan: Plan) -> Walk:
        """A walk over every session of the range. Those that are not to be asked for in this run are in it as well:
        without them days would look like neighbours that are none, and a boundary would be seen in a few repairs."""
        settings = self._config.run
        ours = {shard.day for shard in (*plan.todo, *plan.beyond) if shard.collection == collection}
        sessions = {*days, *(day for day in self._settled if days[-1] <= day <= days[0])}
        others = {day: standing(Shard(collection, day), store.ledger.days) for day in sessions if day not in ours}
        left = {day: "pending" if kind == "failed" else kind for day, kind in others.items()}
        return Walk(
            collection, sessions, earlier=left | plan.earlier(collection), chunk_size=settings.chunk_size,
            max_consecutive_empty=settings.max_consecutive_empty,
            boundaries=[boundary for boundary in plan.boundaries if boundary.collection == collection],
            also_probe=self._calendar.sessions(self._held.tier.options_from, days[0])[:1],
        )  # fmt: skip

    async def _walk(self, machinery: "_Machinery", store: Store, wish: Wish, plan: Plan) -> None:
        settings = self._config.run
        walks = [self._walk_over(store, collection, days, plan) for collection, days in wish.days.items()]
        tasks = most_in_flight(self._config, self._held) + COMMITTING
        pipeline = Pipeline(
            walks, machinery.parts, settings, workers=tasks, emit=self._emit, monotonic=clock.monotonic
        )  # fmt: skip
        self._ending = pipeline.ending
        watchdog = Watchdog(asyncio.get_running_loop(), limit_s=settings.blocked_s, emit=self._emit)
        with _stopped_by_signals(pipeline), watchdog:
            pulse = asyncio.ensure_future(machinery.pulse.run())
            others = (machinery.slowness(pipeline).run(), *self._timers(pipeline))
            timers = [asyncio.ensure_future(other) for other in others]
            given_up = asyncio.ensure_future(self._keeping.failure())
            running = asyncio.ensure_future(pipeline.run())
            try:
                await asyncio.wait((running, pulse, given_up), return_when=asyncio.FIRST_COMPLETED)
                if not running.done():
                    (given_up if given_up.done() else pulse).result()  # they only end by raising
                running.result()
            finally:
                for task in (running, pulse, given_up, *timers):
                    task.cancel()
                await asyncio.wait((running,))  # whatever ended it: nothing is written after this

    def _timers(self, pipeline: Pipeline) -> Iterator:  # type: ignore[type-arg]
        settings = self._config.run

        async def stop_after(seconds: float, reason: str) -> None:
            await asyncio.sleep(seconds)
            if not pipeline.stopping:  # a second call would mean "now", and nobody has said that
                pipeline.stop(reason, 11)

        if settings.max_duration_s:
            yield stop_after(settings.max_duration_s, "--max-duration is over")
        if settings.until:
            yield stop_after(seconds_until(settings.until, datetime.now()), f"it is {settings.until}")  # noqa: DTZ005

    async def _probe_boundaries(self, store: Store, parts: RunParts, wish: Wish) -> None:
        """A known boundary is looked at again in every run: one small request just beyond it."""
        for boundary in store.boundaries:
            days = wish.days.get(boundary.collection, ())
            if boundary.day is None or not days or days[-1] >= boundary.day:
                continue
            finding = await parts.probe(boundary.collection, self._calendar.previous(boundary.day))
            holds = {"vendor": ("empty", "refused", "unknown"), "tier": ("refused", "unknown")}[boundary.kind]
            if finding not in holds:
                evidence = (f"{self._calendar.previous(boundary.day)}: {finding}",)
                parts.record_boundary(Boundary(boundary.collection, boundary.kind, None, evidence))
                self._emit(Notice(f"{boundary.collection}: data begin before {boundary.day} now; the walk goes on"))

    def _record_job(self, store: Store, wish: Wish) -> None:
        if self._orders.command == "download":
            jobs = [job for job in [job_of(wish)] if job.id not in store.ledger.jobs]
        elif self._orders.command == "update":
            known = list(store.ledger.jobs.values())
            jobs = [job for job in up_to(known, self._settled[-1]) if job not in known]
        else:
            jobs = []
        for job in jobs:
            store.ledger.record_job(job, clock.now())

    def _started(self, store: Store, wish: Wish, plan: Plan, source: str, url: str) -> RunStarted:
        fetch = self._config.fetch
        return RunStarted(
            self._orders.command, str(store.volume.root), wish.collections, wish.first, wish.last,
            wanted=len(plan.done) + len(plan.todo), done=len(plan.done), todo=len(plan.todo),
            chunk_size=self._config.run.chunk_size, tier=self._held.tier.text, tier_assumed=self._held.assumed,
            account_allows=self._held.requests, workers=(fetch.workers_min, fetch.workers_max),
            source=source, url=url, kept_awake=self._awake,
        )  # fmt: skip

    def _finish(self, store: Store, wish: Wish, error: ThetabulkError | None) -> int:
        codes = set(self._ending.codes) | ({error.exit_code} if error else set())
        codes |= outcome_codes(store, wish, strict=self._config.run.strict)
        code = worst(codes)
        rows = status_rows(store, self._calendar, clock.now(), only=wish.collections)
        with suppress(ThetabulkError):  # only a convenience: the ledger has every hash
            write_sums(store, wish.collections)
        if error is not None:
            self._emit(Notice(f"{error.what}" + (f" — {error.hint}" if error.hint else ""), "warning"))
        self._incidents.conclude()
        totals = self._tally.totals(clock.monotonic()) | store.durability.document()
        totals["unrecorded"] = len(self._ending.unrecorded)
        self._emit(RunFinished(code, tuple(rows), totals))
        return code

    def _emit(self, event: Event) -> None:
        self._learn_tier(event)
        for listener in self._listeners:
            listener(event)

    def _tell_tally(self, event: Event) -> None:
        self._tally.add(event, clock.monotonic())

    def _learn_tier(self, event: Event) -> None:
        """The text of a refusal names the tier that is held (seen live: "you only have a FREE subscription")."""
        if not isinstance(event, ShardFinished) or not isinstance(event.outcome, Refused):
            return
        held = tier_in(event.outcome.message)
        if held is not None and self._held.assumed and held is not self._held.tier:
            self._held.tier, self._held.assumed = held, False
            self._emit(Notice(f"the Terminal says that the subscription is {held}"))


class _Machinery:
    """Gate, limit, breaker, fetcher, pulse, wired for one run."""

    def __init__(
        self, config: Config, held: Held, client: Client, store: Store, grids: Grids, emit: Emit,
        listeners: list[Callable[[Event], None]], restart: Restart | None, keeping: Keeping,
    ) -> None:  # fmt: skip
        fetch = config.fetch
        ceiling = most_in_flight(config, held)
        limit = Limit(min(fetch.workers_min, ceiling), ceiling)
        breaker = Breaker(
            failures=fetch.breaker_failures, first_s=fetch.breaker_first_s, max_s=fetch.breaker_max_s,
            failing_max_s=fetch.breaker_failing_max_s,
        )  # fmt: skip
        hold = Hold()
        gate = Gate(
            (limit.limit, lambda: breaker.capacity(clock.monotonic()), hold.capacity,
             lambda: held.requests + QUEUED, keeping.capacity),
            launch_gap_s=fetch.launch_gap_s, now=clock.monotonic, reopen_at=lambda: breaker.reopen_at,
        )  # fmt: skip
        keeping.tell_changes(gate.changed)

        def fetcher(parts: RunParts) -> Fetcher:
            return Fetcher(
                client, gate, breaker, limit, fetch, open_recording=parts.open_recording, contracts=parts.contracts,
                emit=emit, monotonic=clock.monotonic, now=clock.now, rng=clock.rng, tier=lambda: held.tier.text,
                absence=lambda: contact.absence(client, config.terminal.url), keep_evidence=parts.keep_evidence,
            )  # fmt: skip

        keep = config.run.schema_drift == "keep"
        url = config.terminal.url
        session = Session(lambda: contact.absence(client, url), lambda: suspects_beside(url), restart)
        self.parts = RunParts(store, client, fetcher, gate, hold, grids, extra_columns=keep, session=session)
        self.pulse = Pulse(
            limit, gate, breaker, emit=emit, pause_limit_s=config.run.pause_limit_s, monotonic=clock.monotonic,
            memory_percent=memory_percent, wall=clock.wall, wake=self.parts.wake, paused=lambda: hold.closed,
            also=DrivePace(store.volume.disk.busy_s, clock.monotonic, emit).look, asleep_s=config.run.asleep_s,
        )  # fmt: skip
        listeners.append(self.pulse.hear)
        self._incident, self._restart, self._gate, self._hold = config.incident, restart, gate, hold
        self._emit, self._listeners = emit, listeners

    def slowness(self, pipeline: Pipeline) -> Slowness:
        """Looks whether the Terminal becomes slow; one that is ours is restarted between two days of the pipeline."""
        settings, restart = self._incident, self._restart

        async def remedy(why: str) -> None:
            assert restart is not None
            await pipeline.between_transfers("Restarting", f"{why}: the Terminal is restarted", partial(restart, why))

        found = Slowness(
            Decline(settings.slow_window_s, settings.slow_factor), in_flight=lambda: self._gate.in_flight,
            paused=lambda: self._hold.closed, emit=self._emit, monotonic=clock.monotonic,
            cooldown_s=settings.restart_cooldown_s, remedy=remedy if restart is not None else None,
        )  # fmt: skip
        self._listeners.append(found.hear)
        return found


def most_in_flight(config: Config, held: Held) -> int:
    """What the gate may admit at most: the workers asked for, and no more than the account queues."""
    return max(1, min(config.fetch.workers_max, held.requests + QUEUED))


def outcome_codes(store: Store, wish: Wish, *, strict: bool) -> set[int]:
    """3 if wanted days failed (with `strict` also: without full proof); 7 if some ended refused and none failed."""
    kinds = [standing(shard, store.ledger.days, store.boundaries) for shard in shards_of(wish)]
    codes = {3} if "failed" in kinds else {7} if "refused" in kinds else set()
    if strict:
        saved = [entry.outcome for shard in shards_of(wish) if (entry := store.ledger.days.get(shard))]
        if any(isinstance(outcome, Saved) and outcome.proof is not Proof.FULL for outcome in saved):
            codes.add(3)
    return codes


def seconds_until(clock_time: str, at: datetime) -> float:
    """From a local moment to the next time that the clock shows `07:30`."""
    target = datetime.combine(at.date(), time.fromisoformat(clock_time))
    return (target - at if target > at else target + timedelta(days=1) - at).total_seconds()


@contextmanager
def _stopped_by_signals(pipeline: Pipeline) -> Iterator[None]:
    """First: finish what is in flight. Second: stop now. Third: leave at once; the next start tidies up."""

    def stop(number: signal.Signals) -> None:
        pipeline.stop(number.name, 128 + number)

    with heard(leaving(stop)):
        yield


def _lacked(outcome: Outcome) -> bool:
    """Whether a whole answer was put aside because it is unlike what is documented."""
    return isinstance(outcome, Failed) and outcome.kind == "incomplete"


def shards_of(wish: Wish) -> Sequence[Shard]:
    return [Shard(collection, day) for collection, days in wish.days.items() for day in days]


def first_error(group: BaseExceptionGroup[ThetabulkError]) -> ThetabulkError:
    """Of several errors the one whose exit code is told."""
    leaves = [first_error(error) if isinstance(error, BaseExceptionGroup) else error for error in group.exceptions]
    told = worst(error.exit_code for error in leaves)
    return next(error for error in leaves if error.exit_code == told)
