"""A store as it ought to behave, in a hundred lines: what is recorded, what lies on the drive, and what start-up makes
of the two. No files, no formats, no bytes: a day's content is a letter."""

from dataclasses import dataclass, field
from typing import Literal

ENDED = ("failed", "empty")
DAMAGED = "?"
"""The content of a file that is no version of its day."""

Seen = Literal["good", "missing", "damaged"]


@dataclass
class File:
    """`trusted`: size and time are those that start-up expects, so that it does not look inside."""

    content: str
    same_size: bool = True
    trusted: bool = True


@dataclass
class Reference:
    """`records`: a letter for "saved, with this content", or one of ENDED. `evidence` counts what was put aside."""

    records: dict[int, str] = field(default_factory=dict)
    files: dict[int, File] = field(default_factory=dict)
    evidence: int = 0

    def is_saved(self, day: int) -> bool:
        return self.records.get(day, "failed") not in ENDED

    # What a run does

    def commit(self, day: int, content: str) -> None:
        self.files[day] = File(content)

    def note(self, day: int, record: str) -> None:
        self.records[day] = record

    # What happens to a store

    def delete(self, day: int) -> None:
        del self.files[day]

    def overwrite(self, day: int, content: str, *, same_size: bool = True) -> None:
        """By somebody: the time shows it."""
        self.files[day] = File(content, same_size, trusted=False)

    def rot(self, day: int) -> None:
        """By the drive itself: nothing shows it."""
        self.files[day].content = DAMAGED

    def lose_the_line(self, day: int) -> None:
        """The newest line of a day is damaged: it says nothing, and what older ones say is old."""
        del self.records[day]

    # What start-up does

    def start(self) -> None:
        """Ledger and drive are made to agree; nothing is deleted, and nothing that is good is asked for again."""
        for day in sorted({*self.records, *self.files}):
            file = self.files.get(day)
            if not self.is_saved(day):
                self._examine(day, file)
            elif file is None:
                self.note(day, "failed")
            else:
                self._compare(day, file)

    def _examine(self, day: int, file: File | None) -> None:
        """A file that no record speaks of: whole, or evidence."""
        if file is not None and file.content == DAMAGED:
            self._put_aside(day)
        elif file is not None:
            self.note(day, file.content)
            self.files[day] = File(file.content)

    def _compare(self, day: int, file: File) -> None:
        if not file.same_size or (not file.trusted and file.content != self.records[day]):
            self._put_aside(day)
        else:
            file.trusted = True

    def _put_aside(self, day: int) -> None:
        del self.files[day]
        self.evidence += 1
        self.note(day, "failed")

    # What `verify` sees

    def look(self, day: int) -> Seen:
        file = self.files.get(day)
        if file is None:
            return "missing"
        return "good" if file.content == self.records[day] else "damaged"
