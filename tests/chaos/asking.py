"""One answer, given to the recording as the fetcher gives it, and how that ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from tests.unit.store.recorded import Folder
from thetabulk.errors import BadAnswer
from thetabulk.model import Collection, Contract, Dataset, Shard
from thetabulk.store.recording import Manner, Recording
from thetabulk.store.weighing import Weighed, stored_body

Kind = Literal["refused", "asked again", "kept aside", "saved"]
_FATES: Mapping[str, Kind] = {"SAVE": "saved", "ASK_AGAIN": "asked again", "KEEP_ASIDE": "kept aside"}
_TARGET = PurePosixPath("day")


@dataclass(frozen=True)
class Answer:
    """A body, and what else is known when it comes. `listed` None: the vendor's list could not be had."""

    shard: Shard
    dataset: Dataset
    body: bytes
    listed: frozenset[Contract] | None
    grids: Mapping[int, str]

    @property
    def collection(self) -> Collection:
        return self.shard.collection


@dataclass(frozen=True)
class End:
    """`printed` is what the file that was put in place prints, where there is one."""

    kind: Kind
    proof: str = ""
    lacking: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    content: str = ""
    printed: bytes | None = None
    error: str = ""

    @property
    def remarks(self) -> tuple[str, ...]:
        return self.lacking + self.surplus + self.odd


def ask(
    folder: Folder, answer: Answer, *, earlier: str = "", pieces: Sequence[int] = (), manner: Manner | None = None
) -> End:  # fmt: skip
    """Fed in pieces that end at these places, weighed, and put in place if that is what becomes of it."""
    manner = manner or Manner()
    one = Recording(answer.shard, answer.dataset, "the request", answer.grids, manner, folder.part)
    try:
        for start, stop in zip((0, *pieces), (*pieces, len(answer.body)), strict=True):
            one.feed(answer.body[start:stop])
        weighed = one.weigh(answer.listed, earlier)
        printed = None
        if weighed.fate.name != "ASK_AGAIN":
            one.commit(_TARGET)
            printed = b"".join(stored_body(folder.path, answer.dataset, manner.format))
            folder.path.unlink()
        return _end(weighed, printed)
    except BadAnswer as error:
        return End("refused", error=f"{error.kind}: {error}")
    finally:
        one.abort()


def ask_twice(folder: Folder, answer: Answer, *, pieces: Sequence[int] = (), manner: Manner | None = None) -> list[End]:
    """Once more if that is wanted, with the same answer."""
    first = ask(folder, answer, pieces=pieces, manner=manner)
    if first.kind != "asked again":
        return [first]
    return [first, ask(folder, answer, earlier=first.content, pieces=pieces, manner=manner)]


def _end(weighed: Weighed, printed: bytes | None) -> End:
    found = weighed.findings
    return End(
        _FATES[weighed.fate.name], weighed.proof.value, found.lacking, found.surplus, found.remarks, weighed.content,
        printed,
    )  # fmt: skip


def leftovers(folder: Folder) -> list[Path]:
    """What an answer left behind; nothing, if all is well."""
    return list(folder.root.iterdir())
