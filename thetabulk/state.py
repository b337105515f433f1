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
    try:
        remembered = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    stores = remembered.get("stores") if isinstance(remembered, dict) else None
    if not isinstance(stores, dict):
        return {}
    return {Path(path): identity for path, identity in stores.items() if isinstance(identity, str)}


def last_store(folder: Path) -> Path | None:
    """The store that was used last, or None."""
    return next(reversed(known_stores(folder)), None)


def remember_store(folder: Path, path: Path, identity: str) -> None:
    """Make this the store used last, or (in a state folder that cannot be written) do nothing."""
    stores = known_stores(folder)
    stores.pop(path.absolute(), None)
    stores[path.absolute()] = identity
    text = json.dumps({"stores": {str(path): identity for path, identity in stores.items()}}, indent=2)
    scratch = folder / f"{_FILE}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text + "\n", encoding="utf-8")
        scratch.replace(folder / _FILE)
    except OSError:
        with suppress(OSError):
            scratch.unlink()
