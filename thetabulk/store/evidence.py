"""The opening of answers that were no good, kept so that a person can see what the Terminal said.

One small file per day and kind of problem, newest wins. Foreign text is made harmless and stripped of what looks like a
secret; all of it together stays below a limit, and nothing that others wrote is ever removed.
"""

import re
from pathlib import PurePosixPath

from thetabulk.model import Shard
from thetabulk.store.layout import QUARANTINE, encode_symbol
from thetabulk.store.volume import Volume

HEAD_BYTES = 4_096
ANSWERS = QUARANTINE / "answers"
_SECRETS = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # an e-mail address is the account's name
    r"|\btd1_[\w-]+"  # the vendor's API keys (thetadata-v3.md §4.1)
    r"|(?<=[?&;\s])(?:password|passwd|token|api[_-]?key|secret)\s*[=:]\s*\S+",
    re.IGNORECASE,
)


def redacted(head: bytes) -> str:
    """Text that is safe to print and to send to somebody: no control characters, no addresses, keys or passwords."""
    text = _SECRETS.sub("[redacted]", " " + head[:HEAD_BYTES].decode("utf-8", "replace"))[1:]
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def evidence_path(shard: Shard, kind: str) -> PurePosixPath:
    symbol = encode_symbol(shard.symbol)
    return ANSWERS / shard.collection.folder / symbol / f"{symbol}-{shard.day.isoformat()}.{kind}.txt"


def keep_evidence(volume: Volume, shard: Shard, kind: str, message: str, head: bytes, *, most_bytes: int) -> bool:
    """Writes the file, unless the kept answers would then take more than `most_bytes`. Raises the drive's errors."""
    path = evidence_path(shard, kind)
    text = f"{shard}\n{kind}: {message}\n\n{redacted(head)}\n".encode()
    folder = volume.path(ANSWERS)
    with volume.translated(folder):
        taken = sum(file.stat().st_size for file in folder.rglob("*.txt")) if folder.is_dir() else 0
    if taken + len(text) > most_bytes:
        return False
    volume.folder(path.parent)
    with volume.translated(volume.path(path)):
        volume.disk.write_file(volume.path(path), text)
    return True
