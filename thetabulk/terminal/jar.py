"""The Terminal's jar: where it lies, which one it is, and whether it is still the one that was first seen.

The vendor publishes no hash, so the first one seen is trusted and kept (TOFU); another one later is a reason to stop
and ask (reliability.md §8). Nothing here downloads anything.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from thetabulk.state import remember

NAME = "ThetaTerminalv3.jar"
_FILE = "jars.json"
_BLOCK_BYTES = 1 << 20
_VERSION_LINE = re.compile(
    r"^(?:Implementation|Bundle|Specification)-Version: *(?P<version>[\w.+-]{1,40})\s*$", re.MULTILINE
)
_MANIFEST_BYTES = 65_536
Standing = Literal["first", "same", "changed"]


@dataclass(frozen=True, slots=True)
class Pin:
    """A jar against what is remembered of it. `known` is the remembered hash, of the jar itself if it is the first."""

    path: Path
    sha256: str
    known: str
    standing: Standing


def find(places: Iterable[Path]) -> Path | None:
    """The first jar in these places; a place is a folder, or a jar itself."""
    for place in places:
        for path in (place, place / NAME):
            with suppress(OSError):
                if path.is_file():
                    return path.absolute()
    return None


def version(path: Path) -> str:
    """What the jar's manifest calls itself; "" if it does not say. ValueError if the file is no jar; OSError."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("META-INF/MANIFEST.MF") as manifest:
            found = _VERSION_LINE.search(manifest.read(_MANIFEST_BYTES).decode("utf-8", "replace"))
    except KeyError:
        raise ValueError(f"{path} has no manifest: it is no jar") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged, or no jar") from error
    return found["version"] if found else ""


def builds(path: Path) -> tuple[str, ...]:
    """The Terminals that the bootstrapper has fetched (`lib/202607271.jar` beside it), the newest first."""
    with suppress(OSError):
        names = [each.stem for each in (path.parent / "lib").glob("*.jar")]
        return tuple(sorted((name for name in names if name.isdecimal()), reverse=True))
    return ()


def sha256(path: Path) -> str:
    """Of the whole file. OSError."""
    running = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            running.update(block)
    return running.hexdigest()


def pinned(folder: Path, path: Path) -> str:
    """The hash that is remembered for the jar at this path; "" if none is."""
    return _remembered(folder).get(str(path.absolute()), "")


def check(folder: Path, path: Path) -> Pin:
    """Compares the jar with what is remembered in the state folder, and remembers one that is seen first. OSError."""
    found, known = sha256(path), pinned(folder, path)
    if not known:
        trust(folder, path, found)
        return Pin(path, found, found, "first")
    return Pin(path, found, known, "same" if found == known else "changed")


def trust(folder: Path, path: Path, found: str) -> None:
    """Remember this hash from now on; in a state folder that cannot be written, nothing is remembered."""
    remember(folder / _FILE, {"jars": _remembered(folder) | {str(path.absolute()): found}})


def _remembered(folder: Path) -> dict[str, str]:
    try:
        jars = json.loads((folder / _FILE).read_text(encoding="utf-8"))["jars"]
        return {str(path): str(known) for path, known in jars.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
