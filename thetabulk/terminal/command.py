"""How the Terminal is started: its command line and its environment. Pure.

Credentials are in a file that only the Terminal reads; never in the command line, which every user of the machine can
read (reliability.md §8).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from thetabulk.terminal.ownership import TOKEN

API_KEY = "THETADATA_API_KEY"
"""Read by Terminals from 20260615 on, after the command line (thetadata-v3.md §4.1)."""

_PASSED_ON = frozenset({
    "HOME", "JAVA_HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "TEMP", "TMP", "TMPDIR", "TZ", "USER",
    "APPDATA", "COMSPEC", "LOCALAPPDATA", "PATHEXT", "PROGRAMDATA", "SYSTEMDRIVE", "SYSTEMROOT", "USERNAME",
    "USERPROFILE", "WINDIR",
})  # fmt: skip
"""What a Java program needs. Everything else stays here: nobody knows what secrets an environment holds."""


def command_line(java: Path, options: Sequence[str], jar: Path, creds: Path | None) -> list[str]:
    """`options` have been checked (config.java_option). All paths are absolute: the Terminal runs in another folder."""
    return [str(java), *options, "-jar", str(jar), *(("--creds-file", str(creds)) if creds else ())]


def without_key(environment: Mapping[str, str]) -> dict[str, str]:
    """For a program that does not log in."""
    return {name: value for name, value in environment.items() if name != API_KEY}


def scrubbed(environment: Mapping[str, str], token: str, *, with_key: bool) -> dict[str, str]:
    """The Terminal's environment: what Java needs, our token, and the vendor's API key only if it logs in by it."""
    kept = {
        name: value
        for name, value in environment.items()
        if name.upper() in _PASSED_ON or name.startswith("LC_") or (with_key and name == API_KEY)
    }
    return kept | {TOKEN: token}
