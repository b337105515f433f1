"""First contact, `thetabulk doctor --probe`: about two minutes of small questions that teach what this vendor does.

For the command (cli/doctor.py):

    from thetabulk.assembly import probing
    found = probing.first_contact(resolved, emit)          # asks; keeps the profile in the store, if there is one
    probing.save_bundle(found, path)                       # --bundle FILE
    from thetabulk.report.first_contact import told
    for line in told(found.document): ...                  # 80 columns; with --json print `found.document`
    return found.exit_code                                 # 0; 3 if the main questions got no answer
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thetabulk import __version__
from thetabulk.assembly import clock, contact, stores
from thetabulk.assembly.profiles import profile_in
from thetabulk.assembly.questions import Asking, Conversation, Heard
from thetabulk.assembly.stores import Store
from thetabulk.config import Config, Resolved
from thetabulk.errors import ShardError, ThetabulkError, UsageError
from thetabulk.events import Emit, Event, Notice
from thetabulk.fetch.client import Client
from thetabulk.fetch.url import check_url
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.profile import Profile
from thetabulk.redaction import without_accounts
from thetabulk.report.first_contact import differences

USUAL_SYMBOL = "QQQ"
QUESTION = (
    "The first download of a new store. Nobody has asked this Terminal yet how it\n"
    "answers: two minutes of small questions keep good days from being refused.\nAsk them first?"
)
PROPOSAL = (
    "nobody has asked this Terminal yet how it answers: `thetabulk doctor --probe` does, in about two minutes, and "
    "days that are unlike the documented ones are then not taken for incomplete"
)
_HEAD_BYTES = 1_500
_HEADERS = ("server", "content-type", "content-length", "transfer-encoding", "content-encoding", "connection")
_UNANSWERED = 3
_LOOK_S = 2.0


def _silent(_: Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What first contact has found: `document` for `--json` and for the report, `bundle` for a fixture file."""

    profile: Profile
    document: Mapping[str, Any]
    bundle: Mapping[str, Any]
    exit_code: int


def first_contact(resolved: Resolved, emit: Emit = _silent, *, symbol: str = "", banner: str = "") -> Found:
    """Asks the Terminal of the settings, decides the profile, keeps it in the store that the settings mean.

    `symbol` is asked about (else that of the store's newest job, else QQQ); `banner` is what a Terminal that we started
    has printed, if it did. `emit` gets a Notice for every question. Without a store the profile is not kept, and the
    document says so. Raises TerminalUnavailable (8), AccountError (7), StoreBusy (9), UsageError (2).
    """
    return asyncio.run(_first_contact(resolved, emit, symbol, banner))


async def _first_contact(resolved: Resolved, emit: Emit, symbol: str, banner: str) -> Found:
    config = resolved.config
    url = str(check_url(config.terminal.url, config.terminal.allow_remote))
    with ExitStack() as stack:
        store = _store(stack, resolved)
        async with _client(config, url) as client:
            await contact.meet(client, url, config.terminal)
            if store is not None:
                source = "terminal" if client.simulator is None else "simulator"
                stores.check_fits(store.volume, resolved, source)
            found = await ask(client, config, emit, symbol or _symbol(store, config), banner)
        if store is not None and found.exit_code == 0:
            keep(store, found.profile)
            return replace(found, document={**found.document, "kept": str(store.volume.root)})
    return found


def offered(resolved: Resolved) -> bool:
    """Whether a person should be asked: a real Terminal is there, and the store is new and has no profile yet. False
    where anything is in the way; the run will tell."""
    try:
        path, _ = stores.locate(resolved)
        if stores.exists(path):
            with stores.opened(path, resolved.config.store, write=False, remember=False) as store:
                if store.ledger.days or store.ledger.profile:
                    return False
        return asyncio.run(_real(resolved.config))
    except (ThetabulkError, ShardError):
        return False


async def _real(config: Config) -> bool:
    """Whether a Terminal answers that is no simulator."""
    url = str(check_url(config.terminal.url, config.terminal.allow_remote))
    async with _client(config, url) as client:
        answer = await client.small(contact.STATUS, timeout_s=_LOOK_S)
        return contact.status_problem(answer, url) is None and client.simulator is None


async def learn(config: Config, url: str, store: Store, emit: Emit, symbol: str) -> Profile:
    """First contact within a run, for the store that it has open: asked, kept. What was known before, if nobody gave
    an answer with rows. One Notice for each thing that is unlike the documented."""
    async with _client(config, url) as client:
        found = await ask(client, config, _silent, symbol)
    if found.exit_code:
        emit(Notice("first contact: the Terminal has answered with no rows; nothing was learned", "warning"))
        return profile_in(store)
    keep(store, found.profile)
    for text in differences(found.profile.to_fields()):
        emit(Notice(f"first contact: {text}"))
    return found.profile


async def ask(client: Client, config: Config, emit: Emit, symbol: str, banner: str = "") -> Found:
    """All the questions, and what they decide; nothing is kept."""
    now, calendar = clock.now(), Calendar.load()
    asking = Asking(client, config.probe, config.fetch, emit)
    conversation = Conversation(asking, symbol, calendar, calendar.settled(now))
    await conversation.hold()
    profile = conversation.profile(banner, now.date())
    questions = [_question(one) for one in asking.heard]
    document = {"profile": profile.to_fields(), "questions": questions, "kept": None}
    return Found(profile, document, _bundle(profile, asking.heard), 0 if profile.line_end else _UNANSWERED)


def keep(store: Store, profile: Profile) -> None:
    """The profile into the store's ledger; it takes the place of the one before."""
    store.ledger.record_profile(profile.to_fields(), clock.now())


def save_bundle(found: Found, path: Path) -> None:
    """Writes the redacted bundle as JSON: the profile and the heads of the answers. UsageError if it cannot."""
    try:
        path.write_text(json.dumps(found.bundle, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the bundle cannot be written to {path}: {error.strerror}") from error


def _client(config: Config, url: str) -> Client:
    """Patient, and with ears for what a run would refuse: bodies that end with their connection."""
    patience_s = max(config.fetch.first_byte_timeout_s, config.probe.patience_s)
    return Client(url, replace(config.fetch, first_byte_timeout_s=patience_s, allow_close_delimited=True))


def _store(stack: ExitStack, resolved: Resolved) -> Store | None:
    """The store that the settings mean, open for writing; None if there is none yet."""
    try:
        path, _ = stores.locate(resolved)
    except UsageError:
        return None
    if not stores.exists(path):
        return None
    store = stack.enter_context(stores.opened(path, resolved.config.store, write=True))
    stores.refuse_mirror(store.volume.root)
    return store


def _symbol(store: Store | None, config: Config) -> str:
    jobs = list(store.ledger.jobs.values()) if store is not None else []
    wanted = [collection.symbol for job in reversed(jobs) for collection in job.collections]
    return (*config.job.symbols, *wanted, USUAL_SYMBOL)[0]


def _question(heard: Heard) -> dict[str, Any]:
    """A question and its answer in a few words, for the report."""
    answer = heard.answer
    fields: dict[str, Any] = {"question": heard.question, "request": heard.request.text}
    if answer is None:
        return fields | {"status": None, "error": without_accounts(heard.error)}
    text = answer.body[:200].decode("utf-8", "replace").splitlines()
    return fields | {
        "status": answer.status,
        "bytes": len(answer.body),
        "header_s": round(answer.header_s, 3),
        "first_byte_s": round(answer.first_byte_s, 3),
        "seconds": round(answer.seconds, 3),
        "begins": without_accounts(text[0]) if text else "",
    }


def _bundle(profile: Profile, heard: Sequence[Heard]) -> dict[str, Any]:
    """For a fixture: what was decided, and from which bytes. The head of each answer without accounts and secrets;
    it ends with a whole line, and says with what the body ended."""
    answers = []
    for one in heard:
        fields = _question(one)
        if one.answer is not None:
            headers = {name: one.answer.headers[name] for name in _HEADERS if name in one.answer.headers}
            head = one.answer.body[:_HEAD_BYTES]
            head = head[: head.rfind(b"\n") + 1] or head
            packed = "content-encoding" in headers
            fields |= {
                "headers": headers,
                "head": "" if packed else without_accounts(head.decode("utf-8", "replace")),
                "tail": "" if packed else without_accounts(one.answer.body[-40:].decode("utf-8", "replace")),
            }
        answers.append(fields)
    return {"thetabulk": __version__, "profile": profile.to_fields(), "answers": answers}
