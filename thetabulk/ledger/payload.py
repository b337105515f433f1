"""The nouns as fields of a record, and back. Pure, and exact: what is read equals what was written.

Fields come in the order of design §4. A damaged or foreign payload raises KeyError, TypeError or ValueError.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from thetabulk.ledger.record import time_text
from thetabulk.model import Asked, Boundary, Collection, Empty, Failed, Job, Outcome, Proof, Refused, Saved, Shard

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ContractList:
    """That a vendor's list of contracts is cached in the store: how many, and the file's sha256."""

    symbol: str
    day: date
    count: int
    sha256: str


def outcome_payload(outcome: Outcome) -> Payload:
    shard = outcome.shard
    fields: Payload = {**_collection_fields(shard.collection), "day": shard.day.isoformat()}
    fields["outcome"] = type(outcome).__name__.lower()
    match outcome:
        case Saved():
            fields |= {"proof": outcome.proof.value, "rows": outcome.rows, "contracts": outcome.contracts}
            fields |= {"bytes": outcome.bytes, "mtime_ns": outcome.mtime_ns, "sha256": outcome.sha256}
            fields |= {"vendor_bytes": outcome.vendor_bytes, "vendor_xxh3": outcome.vendor_xxh3}
            fields |= {"content": outcome.content, **_asked_fields(outcome.asked), "remarks": list(outcome.remarks)}
        case Empty():
            fields |= {"checks": outcome.checks, "since": time_text(outcome.since) if outcome.since else None}
            fields |= _asked_fields(outcome.asked)
        case Refused():
            fields |= {**_asked_fields(outcome.asked), "error": {"kind": "refused", "message": outcome.message}}
        case Failed():
            fields |= {"content": outcome.content, "kept": outcome.kept, **_asked_fields(outcome.asked)}
            fields |= {"remarks": list(outcome.remarks)}
            fields |= {"error": {"kind": outcome.kind, "message": outcome.message}}
    return fields


def outcome_of(fields: Mapping[str, Any]) -> Outcome:
    return _OUTCOMES[fields["outcome"]](shard_of(fields), _asked_of(fields), fields)


def shard_of(fields: Mapping[str, Any]) -> Shard:
    return Shard(_collection_of(fields), date.fromisoformat(fields["day"]))


def _saved(shard: Shard, asked: Asked, fields: Mapping[str, Any]) -> Outcome:
    return Saved(
        shard,
        asked,
        proof=_PROOFS[fields["proof"]],
        rows=fields["rows"],
        contracts=fields["contracts"],
        bytes=fields["bytes"],
        mtime_ns=fields["mtime_ns"],
        sha256=fields["sha256"],
        vendor_bytes=fields["vendor_bytes"],
        vendor_xxh3=fields["vendor_xxh3"],
        content=fields["content"],
        remarks=tuple(fields["remarks"]),
    )


def _empty(shard: Shard, asked: Asked, fields: Mapping[str, Any]) -> Outcome:
    since = fields["since"]
    return Empty(shard, asked, fields["checks"], None if since is None else datetime.fromisoformat(since))


def _refused(shard: Shard, asked: Asked, fields: Mapping[str, Any]) -> Outcome:
    return Refused(shard, asked, fields["error"]["message"])


def _failed(shard: Shard, asked: Asked, fields: Mapping[str, Any]) -> Outcome:
    error, remarks = fields["error"], tuple(fields["remarks"])
    return Failed(shard, asked, error["kind"], error["message"], fields["content"], fields["kept"], remarks)


_OUTCOMES: dict[str, Callable[[Shard, Asked, Mapping[str, Any]], Outcome]] = {
    "saved": _saved,
    "empty": _empty,
    "refused": _refused,
    "failed": _failed,
}
_PROOFS = {proof.value: proof for proof in Proof}


def boundary_payload(boundary: Boundary) -> Payload:
    return {
        **_collection_fields(boundary.collection),
        "boundary": boundary.kind,
        "day": boundary.day.isoformat() if boundary.day else None,
        "evidence": list(boundary.evidence),
        "message": boundary.message,
    }


def boundary_of(fields: Mapping[str, Any]) -> Boundary:
    day = fields["day"]
    return Boundary(
        _collection_of(fields),
        fields["boundary"],
        None if day is None else date.fromisoformat(day),
        tuple(fields["evidence"]),
        fields["message"],
    )


def job_payload(job: Job) -> Payload:
    return {
        "id": job.id,
        "collections": [_collection_fields(collection) for collection in job.collections],
        "first": job.first.isoformat(),
        "last": job.last.isoformat(),
    }


def job_of(fields: Mapping[str, Any]) -> Job:
    return Job(
        fields["id"],
        tuple(_collection_of(one) for one in fields["collections"]),
        date.fromisoformat(fields["first"]),
        date.fromisoformat(fields["last"]),
    )


def contracts_payload(listed: ContractList) -> Payload:
    return {"symbol": listed.symbol, "day": listed.day.isoformat(), "count": listed.count, "sha256": listed.sha256}


def contracts_of(fields: Mapping[str, Any]) -> ContractList:
    return ContractList(fields["symbol"], date.fromisoformat(fields["day"]), fields["count"], fields["sha256"])


@lru_cache(maxsize=1024)
def _collection(dataset: str, selection: str, symbol: str) -> Collection:
    """One object for the thousands of days of a collection."""
    return Collection(dataset, selection, symbol)


def _collection_of(fields: Mapping[str, Any]) -> Collection:
    return _collection(fields["dataset"], fields["selection"], fields["symbol"])


def _collection_fields(collection: Collection) -> Payload:
    return {"dataset": collection.dataset, "selection": collection.selection, "symbol": collection.symbol}


def _asked_fields(asked: Asked) -> Payload:
    return {
        "request": asked.request,
        "terminal": asked.terminal,
        "tier": asked.tier,
        "attempts": asked.attempts,
        "seconds": asked.seconds,
    }


def _asked_of(fields: Mapping[str, Any]) -> Asked:
    return Asked(fields["request"], fields["attempts"], fields["seconds"], fields["terminal"], fields["tier"])
