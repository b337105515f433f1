"""When this machine goes to sleep by itself, as far as its system tells. Looking only."""

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

NEVER = 0.0
_MASKED = Path("/etc/systemd/system/sleep.target")
_DESKTOP = ("gsettings", "get", "org.gnome.settings-daemon.plugins.power")
_WINDOWS = ("powercfg", "/query", "SCHEME_CURRENT", "SUB_SLEEP", "STANDBYIDLE")
_MAC_SLEEP = re.compile(r"^\s*sleep\s+(\d+)", re.MULTILINE)
_WINDOWS_AC = re.compile(r"0x([0-9a-fA-F]{8})\s*$", re.MULTILINE)
Ask = Callable[[Sequence[str]], str]


def asked(command: Sequence[str], *, timeout_s: float = 2.0) -> str:
    """What a short command says; "" if there is none, or if it fails or takes longer."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def sleeps_after_s(platform: str, ask: Ask = asked, *, masked: Path = _MASKED) -> float | None:
    """Idle seconds on mains power before it sleeps; 0: never; None: the system does not tell.

    macOS: `pmset -g` in minutes. Windows: powercfg's STANDBYIDLE, on mains power. Linux: a desktop of the GNOME kind,
    or the systemd way to forbid sleep (a masked sleep.target).
    """
    if platform == "darwin":
        found = _MAC_SLEEP.search(ask(("pmset", "-g")))
        return int(found[1]) * 60.0 if found else None
    if platform == "win32":
        values = _WINDOWS_AC.findall(ask(_WINDOWS))  # the last two lines: on mains power, on battery
        return float(int(values[-2], 16)) if len(values) >= 2 else None
    if masked.is_symlink() and masked.resolve() == Path("/dev/null"):
        return NEVER
    kind = ask((*_DESKTOP, "sleep-inactive-ac-type")).strip().strip("'")
    if kind in ("", "nothing"):
        return NEVER if kind else None
    seconds = ask((*_DESKTOP, "sleep-inactive-ac-timeout")).strip().rpartition(" ")[2]
    return float(seconds) if seconds.isdecimal() else None
