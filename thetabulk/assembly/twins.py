"""Files whose names are those of recorded days but for case or composition (B20). Pure.

On macOS, Windows and exFAT the two are one name: copying such a store there would put one file over the other.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from thetabulk.model import Shard


def twins(
    paths: Iterable[PurePosixPath], recorded: Mapping[PurePosixPath, Shard]
) -> Iterator[tuple[PurePosixPath, Shard]]:
    """Of these paths of a store the ones that a disk may take for that of a recorded day, with the day."""
    by_name = {_one_name(path): shard for path, shard in recorded.items()}
    for path in paths:
        shard = by_name.get(_one_name(path))
        if shard is not None and path not in recorded:
            yield path, shard


def _one_name(path: PurePosixPath) -> str:
    """The same for all spellings that some file system does not tell apart. `NFD` comes first, because folding the case
    of a composed letter may leave a composition that is none of NFC's."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", str(path)).casefold())
