"""Start-up: does the drive hold what the ledger says? By a stat of each exact path (reliability.md §4.4)."""

from collections.abc import Iterable
from dataclasses import replace

from thetabulk.assembly import clock
from thetabulk.assembly.footers import contradiction, wrong_place
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.stores import Store
from thetabulk.errors import DriveGone
from thetabulk.ledger.reconcile import Action, FileFacts, Findings, after_hash, reconcile
from thetabulk.model import Asked, Failed, Saved, Shard
from thetabulk.plan.datasets import dataset, request_for
from thetabulk.store.layout import kept_path, quarantine_path
from thetabulk.wording import counted


def reconcile_store(store: Store, wanted: Iterable[Shard], grids: Grids) -> list[str]:
    """Makes ledger and drive agree, and says what was done. DriveGone if so much is missing that this is hardly the
    right drive; nothing is deleted, ever."""
    damaged = [line.shard for line in store.ledger.damaged if line.shard is not None]
    shards = dict.fromkeys([*store.ledger.days, *wanted, *damaged])
    findings = reconcile((shard, store.ledger.days.get(shard), _facts(store, shard)) for shard in shards)
    if findings.wrong_drive:
        missing = len(findings.with_action(Action.ASK_AGAIN))
        raise DriveGone(
            f"{missing} of {findings.recorded} recorded days are not on {store.volume.root}",
            hint="is it the right drive, and whole? `thetabulk verify --repair` fetches them again",
        )
    with store.volume.translated(store.volume.root):
        notes = [_mend(store, shard, action, grids) for shard, action in findings.actions.items()]
    return _summed(findings, [note for note in notes if note])


def _facts(store: Store, shard: Shard) -> FileFacts | None:
    facts = store.volume.facts(store.path_of(shard))
    return FileFacts(*facts) if facts else None


def _mend(store: Store, shard: Shard, action: Action, grids: Grids) -> str:
    entry = store.ledger.days.get(shard)
    saved = entry.outcome if entry and isinstance(entry.outcome, Saved) else None
    if action is Action.HASH and saved is not None:
        action = after_hash(saved, store.volume.disk.digest(store.file_of(shard))[0])
    if action is Action.RESTAMP and saved is not None:
        facts = _facts(store, shard)
        store.ledger.record(replace(saved, mtime_ns=facts.mtime_ns if facts else 0), clock.now())
    elif action is Action.ASK_AGAIN and saved is not None:
        store.ledger.record(Failed(shard, saved.asked, "missing", "the recorded file is gone"), clock.now())
    elif action is Action.QUARANTINE and saved is not None:
        quarantine(store, shard, saved.asked, "damaged", "the file is not the recorded one")
        return f"{shard}: the file is not the recorded one; put aside"
    elif action is Action.EXAMINE:
        return adopt(store, shard, grids)
    return ""


def adopt(store: Store, shard: Shard, grids: Grids) -> str:
    """A day's file without a record: recorded if it is whole, put aside if not. Returns what was done."""
    asked = Asked(request_for(shard, dataset(shard.collection.dataset)).text)
    try:
        saved = examined(store, shard, asked, grids)
    except Lacking as lacking:
        keep_aside(store, lacking.found)
        return f"{shard}: a file without a record lacks something ({lacking}); kept aside for `thetabulk accept`"
    except ValueError as error:
        quarantine(store, shard, asked, "not-whole", f"a file without a record: {error}")
        return f"{shard}: a file without a record is not whole ({error}); put aside"
    store.ledger.record(saved, clock.now())
    return f"{shard}: a whole file without a record was adopted"


class Lacking(ValueError):
    """A whole file, but not the whole day: `found` is what would have been recorded."""

    def __init__(self, found: Saved, what: str) -> None:
        super().__init__(what)
        self.found = found


def examined(store: Store, shard: Shard, asked: Asked, grids: Grids) -> Saved:
    """What a file is worth by itself: printed, read, checked, hashed and, if it is Parquet, compared with its footer,
    whose request counts. ValueError if it is not whole, Lacking if it is, but the day is not."""
    from thetabulk.store.stored import read_footer  # pyarrow; a start that finds all in order does without
    from thetabulk.store.validate import Fate
    from thetabulk.store.weighing import stored_body, weigh_stored

    kind = dataset(shard.collection.dataset)
    path = store.file_of(shard)
    listed = store.lists.read(shard.symbol, shard.day)
    body = stored_body(path, kind, store.format)
    weighed = weigh_stored(body, shard, kind, grids.of(shard), listed, grids.habits(shard))
    sha256, size, _ = store.volume.disk.digest(path)
    facts = _facts(store, shard)
    found = Saved(
        shard, asked, weighed.proof, weighed.rows, weighed.contracts, size, facts.mtime_ns if facts else 0, sha256,
        weighed.vendor_bytes, weighed.vendor_xxh3, weighed.content, weighed.remarks,
    )  # fmt: skip
    if store.format == "parquet":
        footer = read_footer(path)
        if told := wrong_place(footer, shard) or contradiction(footer, found):
            raise ValueError(told)
        found = replace(found, asked=replace(asked, request=footer.request))
    if weighed.findings.lacking and weighed.fate is not Fate.SAVE:
        raise Lacking(found, weighed.findings.lacking[0])
    return found


def keep_aside(store: Store, found: Saved) -> None:
    """Puts a lacking day's file where incomplete answers are kept, and records that the day has to be asked for
    again, or accepted."""
    shard = found.shard
    aside = kept_path(shard, store.format)
    if store.volume.facts(aside) is not None:
        quarantine(store, shard, found.asked, "not-whole", f"a file without a record: {found.remarks[0]}")
        return
    store.volume.move(store.path_of(shard), aside)
    message = f"kept aside: {found.remarks[0]}"
    failed = Failed(shard, found.asked, "incomplete", message, found.content, str(aside), found.remarks)
    store.ledger.record(failed, clock.now())


def quarantine(store: Store, shard: Shard, asked: Asked, kind: str, message: str) -> None:
    """Puts a day's file aside, and records that the day has to be asked for again."""
    path = store.path_of(shard)
    token = f"{clock.now():%Y%m%dT%H%M%S%f}"
    store.volume.move(path, quarantine_path(path, token))
    store.ledger.record(Failed(shard, asked, kind, message), clock.now())


def _summed(findings: Findings, notes: list[str]) -> list[str]:
    missing = len(findings.with_action(Action.ASK_AGAIN))
    if missing:
        notes.append(f"{counted(missing, 'recorded day', 'is', 'are')} not on the drive any more; asked for again")
    return notes
