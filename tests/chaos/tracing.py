"""strace: the state-changing system calls of a run, and faults at exactly one of them.

`-P PATH` lets only calls about that path count, so a point is (call, path, n-th time), whatever else the process does.
strace counts for each thread: the traced runs keep everything in one (`conditions.one_thread`).
"""

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.nursery import Child

CHANGING = (
    "openat", "open", "creat", "write", "writev", "pwrite64", "pwritev", "fsync", "fdatasync", "sync_file_range",
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "ftruncate", "truncate",
    "fallocate", "link", "linkat", "symlink", "symlinkat", "utimensat", "fchmod", "chmod",
)  # fmt: skip
_CALL = re.compile(
    r"^(?P<thread>\d+) +(?P<name>\w+)\((?:AT_FDCWD(?:<[^>]*>)?, )?"
    r'(?:\d+<(?P<open>/[^>]*)>|"(?P<path>/[^"]*)")(?P<rest>.*)'
)
_TOKEN = re.compile(r"(?<=[-.])\d+(?=\.part$)")
_TOKENS = range(24)
_STATE_SCRATCH = re.compile(r"(?<=stores\.json\.)\d+$")


@dataclass(frozen=True, slots=True)
class Call:
    """A line of a trace. `path` is absolute, as the process named it."""

    thread: int
    name: str
    path: str
    rest: str

    @property
    def changes(self) -> bool:
        return self.name in CHANGING and (not self.name.startswith(("open", "creat")) or "O_CREAT" in self.rest)


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """The n-th call of that name about a file; `place` is relative to the bench's folder, its changing parts a star."""

    place: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name} number {self.number} of {self.place}"


def calls(log: Path) -> Iterator[Call]:
    for line in log.read_text(errors="replace").splitlines():
        if found := _CALL.match(line):
            yield Call(int(found["thread"]), found["name"], found["open"] or found["path"], found["rest"])


def points(log: Path, folder: Path) -> list[Point]:
    """Every state-changing call about a file below the folder. AssertionError if two threads make such calls."""
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    threads = set()
    for call in calls(log):
        if not Path(call.path).is_relative_to(folder):
            continue
        place = _place(call.path, folder)
        counted[call.name, place] += 1
        if call.changes:
            threads.add(call.thread)
            found.append(Point(place, call.name, counted[call.name, place]))
    assert len(threads) == 1, f"calls come from {len(threads)} threads, and would be counted apart"
    return found


def paths(places: Iterable[str], folder: Path, pid: int) -> list[str]:
    """The paths that a place may stand for, for strace's -P."""
    found = []
    for place in places:
        whole = str(folder / place).replace("stores.json.*", f"stores.json.{pid}")
        found += [whole.replace("*", str(token)) for token in _TOKENS] if "*" in whole else [whole]
    return found


@contextmanager
def attached(child: Child, log: Path, *arguments: str) -> Iterator[None]:
    """strace on a process that waits for it (`Order.traced`), until it ends."""
    command = ["strace", "-f", "-qq", "-y", "-s", "600", "-o", str(log), "-p", str(child.pid), *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        try:
            yield
        finally:
            try:
                _, complaint = tracer.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                tracer.kill()
                raise
    assert not complaint or "No such process" in complaint, complaint


def recording() -> tuple[str, ...]:
    return ("-e", f"trace={','.join(f'?{name}' for name in CHANGING)},?fadvise64,read,close")


def injection(names: Iterable[str], what: str, where: Iterable[str]) -> tuple[str, ...]:
    """Arguments: `what` (`error=EIO:when=3`) happens to calls of these names about these paths."""
    listed = ",".join(names)
    about = [word for path in where for word in ("-P", path)]
    return ("-e", f"trace={listed}", "-e", f"inject={listed}:{what}", *about)


def _place(path: str, folder: Path) -> str:
    relative = str(Path(path).relative_to(folder))
    return _STATE_SCRATCH.sub("*", _TOKEN.sub("*", relative))
