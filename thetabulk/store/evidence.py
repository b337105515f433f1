"""The opening of answers that were no good, kept so that a person can see what the Terminal said.

One small file per day and kind of problem, newest wins. Foreign text is made harmless and stripped of what looks like a
secret; all of it together stays below a limit, and nothing that others wrote is ever removed.
"""

from pathlib import PurePosixPath

from thetabulk.model import Shard
from thetabulk.redaction import without_accounts
from thetabulk.store.layout import QUARANTINE, encode_symbol
from thetabulk.store.volume import Volume

HEAD_BYTES = 4_096
ANSWERS = QUARANTINE / "answers"


def redacted(head: bytes) -> str:
    """Text that is safe to print and to send to somebody: no control characters, no addresses, keys or passwords."""
    return _harmless(without_accounts(head[:HEAD_BYTES].decode("utf-8", "replace")))


def evidence_path(shard: Shard, kind: str) -> PurePosixPath:
    symbol = encode_symbol(shard.symbol)
    return ANSWERS / shard.collection.folder / symbol / f"{symbol}-{shard.day.isoformat()}.{kind}.txt"


def keep_evidence(volume: Volume, shard: Shard, kind: str, message: str, head: bytes, *, most_bytes: int) -> bool:
    """Writes the file, unless the kept answers would then take more than `most_bytes`. Raises the drive's errors."""
    path = evidence_path(shard, kind)
    text = f"{shard}\n{kind}: {_harmless(message)}\n\n{redacted(head)}\n".encode()
    folder = volume.path(ANSWERS)
    with volume.translated(folder):
        taken = sum(file.stat().st_size for file in folder.rglob("*.txt")) if folder.is_dir() else 0
    if taken + len(text) > most_bytes:
        return False
    volume.folder(path.parent)
    with volume.translated(volume.path(path)):
        volume.disk.write_file(volume.path(path), text)
    return True


def _harmless(text: str) -> str:
    """Without what would steer the terminal of whoever looks at the file."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
