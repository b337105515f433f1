"""What this machine remembers between runs: which stores it has seen, and which was used last.

Only a convenience, kept in the user's state folder: everything that matters about a store is on its own drive.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

_FILE = "stores.json"


def state_folder() -> Path:
    """Where this user's programs keep such things."""
    from platformdirs import user_state_path

    return user_state_path("thetabulk", appauthor=False)


def known_stores(folder: Path) -> dict[Path, str]:
    """The stores seen on this machine and their identities, the one used last at the end; {} if nothing is known.

    A store known at a path where no identity file is now means that its drive is not mounted.
    """
    return {path: identity for path, (identity, _) in _remembered(folder).items()}


def device_of(folder: Path, path: Path) -> int | None:
    """The number of the file system that a store was on when it was used last; None if that is not known."""
    return _remembered(folder).get(path.absolute(), ("", None))[1]


def _remembered(folder: Path) -> dict[Path, tuple[str, int | None]]:
    try:
        stores = json.loads((folder / _FILE).read_text(encoding="utf-8"))["stores"]
        return {Path(path): (str(known["store"]), known["device"]) for path, known in stores.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def last_store(folder: Path) -> Path | None:
    """The store that was used last, or None."""
    return next(reversed(known_stores(folder)), None)


def remember_store(folder: Path, path: Path, identity: str, device: int | None = None) -> None:
    """Make this the store used last, or (in a state folder that cannot be written) do nothing."""
    stores = _remembered(folder)
    stores.pop(path.absolute(), None)
    stores[path.absolute()] = identity, device
    known = {str(path): {"store": identity, "device": device} for path, (identity, device) in stores.items()}
    remember(folder / _FILE, {"stores": known})


def remember(file: Path, document: object) -> None:
    """The file whole, as JSON, or (in a state folder that cannot be written) as it was."""
    scratch = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        scratch.replace(file)
    except OSError:
        with suppress(OSError):
            scratch.unlink()
