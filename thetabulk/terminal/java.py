"""Which Java there is, and whether it is new enough for the Terminal."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from thetabulk import config

NEEDED = 21
"""Theta Terminal v3 needs Java 21 or newer (thetadata-v3.md §4.1: the vendor's Getting Started page)."""

TIMEOUT_S = 10.0
"""`java -version` answers within a second; one that does not in ten is broken."""

_HOME_TELLER = Path("/usr/libexec/java_home")
_VERSION = re.compile(r'^.*\bversion "(?:1\.)?(\d+)[^"]*".*$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java at an absolute path. `version` is its major version, None if it does not say one; `text` what it says,
    or what is wrong with it."""

    path: Path
    version: int | None
    text: str

    def is_enough(self, needed: int = NEEDED) -> bool:
        return self.version is not None and self.version >= needed


def find(
    configured: Path | None,
    *,
    environment: Mapping[str, str] | None = None,
    needed: int = NEEDED,
    timeout_s: float = TIMEOUT_S,
    home_teller: Path = _HOME_TELLER,
) -> Java | None:
    """The configured Java and no other; else the first of JAVA_HOME, PATH and macOS's java_home that is new enough;
    else the first that works; else the first that is there. None: there is none at all.

    macOS has a /usr/bin/java without any Java behind it: it is a Java that does not say its version.
    """
    if configured is not None:
        return look(configured, timeout_s)
    variables = config.environment() if environment is None else environment
    found = [look(path, timeout_s) for path in _candidates(variables, needed, timeout_s, home_teller)]
    return max(found, key=lambda java: (java.is_enough(needed), java.version is not None), default=None)


def look(path: Path, timeout_s: float = TIMEOUT_S) -> Java:
    """What this Java says of itself. Never raises: what is wrong stands in `text`."""
    absolute = path.expanduser().absolute()
    if not absolute.is_file():
        return Java(absolute, None, "there is no such file")
    said, good = _ask([str(absolute), "-version"], timeout_s)
    if good and (line := _VERSION.search(said)):
        return Java(absolute, int(line[1]), line[0].strip())
    return Java(absolute, None, said.strip().splitlines()[0] if said.strip() else "it does not say its version")


def _candidates(environment: Mapping[str, str], needed: int, timeout_s: float, home_teller: Path) -> Iterator[Path]:
    """The absolute paths of all Javas that the environment leads to, each once."""
    seen = set()
    for path in _places(environment, needed, timeout_s, home_teller):
        if path.is_file() and path not in seen:
            seen.add(path)
            yield path


def _places(environment: Mapping[str, str], needed: int, timeout_s: float, home_teller: Path) -> Iterator[Path]:
    if home := environment.get("JAVA_HOME"):
        yield Path(home).absolute() / "bin" / "java"
        yield Path(home).absolute() / "bin" / "java.exe"
    if on_path := shutil.which("java", path=environment.get("PATH", "")):
        yield Path(on_path).absolute()
    if home_teller.is_file():
        said, good = _ask([str(home_teller), "-v", f"{needed}+"], timeout_s)
        if good and said.strip():
            yield Path(said.strip().splitlines()[-1]) / "bin" / "java"


def _ask(command: list[str], timeout_s: float) -> tuple[str, bool]:
    """What a short command says (Java says its version on stderr), and whether it ended well."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it does not answer within {timeout_s:g} s", False
    except OSError as error:
        return f"it cannot be run: {error.strerror}", False
    return done.stderr + done.stdout, done.returncode == 0
