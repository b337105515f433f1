"""When each file was last found good: a large store is verified in slices, the longest unseen first, and a verify that
was interrupted goes on.

Kept on the drive, because the drive travels. Losing it costs nothing but order; a kill costs a minute of it.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath

from thetabulk.assembly import clock
from thetabulk.assembly.stores import Store
from thetabulk.errors import ThetabulkError
from thetabulk.ledger.record import time_text
from thetabulk.model import Saved
from thetabulk.store.layout import INTERNAL

PATH = PurePosixPath(INTERNAL, "verified.json")
_SAVE_EVERY_S = 60.0
_UNFINISHED = "unfinished"
_STANDS = timedelta(days=7)
"""What an interrupted verify found good is taken for seen this long; afterwards the next one begins anew."""


class Checked:
    """The memory of one store, for one depth of verification: `full` and `deep` do not count for each other. `scope`
    names what one pass looks at."""

    def __init__(self, store: Store, depth: str, scope: str = "") -> None:
        self._store = store
        self._scope = f"{depth} {scope}".strip()
        self._every = _read(store)
        self._seen = self._every.setdefault(depth, {})
        self._saved_at = clock.monotonic()
        self._unfinished = self._every.setdefault(_UNFINISHED, {})
        self._is_kept = self._scope in self._unfinished

    def begin(self, days: Sequence[Saved]) -> list[Saved]:
        """A pass, unfinished until `end`; the days that it has to look at. Those that the unfinished one before found
        good are not among them; what was damaged or unproven, or was written anew since, is."""
        began = self._unfinished.get(self._scope, "")
        oldest, now = time_text(clock.now() - _STANDS), time_text(clock.now())
        if not oldest < began <= now:
            self._unfinished[self._scope] = now
            return list(days)
        return [saved for saved in days if self._seen.get(self._name(saved), "") < began]

    def end(self) -> None:
        """The pass is through: the next one looks at all again. Nothing is written if nothing was."""
        self._unfinished.pop(self._scope, None)
        if self._is_kept:
            self.save()

    def longest_unseen_first(self, days: Sequence[Saved]) -> list[Saved]:
        """Never verified first, then by age; a file that was written anew since counts as never verified."""
        return sorted(days, key=lambda saved: (self._seen.get(self._name(saved), ""), saved.shard))

    def note(self, saved: Saved) -> None:
        self._seen[self._name(saved)] = time_text(clock.now())
        if clock.monotonic() - self._saved_at > _SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Best effort: a drive that is read-only can be verified too."""
        self._saved_at, self._is_kept = clock.monotonic(), True
        try:
            self._store.volume.check()
            path = self._store.volume.path(PATH)
            with self._store.volume.translated(path):
                self._store.volume.disk.write_file(path, json.dumps(self._every).encode())
        except ThetabulkError:
            return

    def _name(self, saved: Saved) -> str:
        return f"{self._store.path_of(saved.shard)} {saved.sha256[:16]}"


def _read(store: Store) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(store.volume.path(PATH).read_bytes())
        return {str(depth): {str(name): str(at) for name, at in seen.items()} for depth, seen in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
