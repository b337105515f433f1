"""What a Terminal needs to start: Java, its jar, the credentials. What is wrong there is a problem while none runs, and
a warning while one does: the next start will fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thetabulk.assembly.doctor.gathering import Untold
from thetabulk.assembly.recipes import jar_path
from thetabulk.config import TerminalConfig
from thetabulk.errors import AccountError, TerminalUnavailable
from thetabulk.report.findings import Finding, ok, problem, unknown, warn
from thetabulk.terminal import credentials
from thetabulk.terminal import jar as jars
from thetabulk.terminal.command import API_KEY
from thetabulk.terminal.credentials import Credentials
from thetabulk.terminal.invocation import Invocation
from thetabulk.terminal.java import Java

NO_MODES = frozenset(("exfat", "vfat", "fat", "fat32", "msdos", "fuse.fusefat"))
"""File systems without owners and permissions: chmod does nothing there, silently (measured, reliability.md §3)."""

_ACCOUNT, _TERMINAL = AccountError.exit_code, TerminalUnavailable.exit_code


@dataclass(frozen=True, slots=True)
class Kit:
    """What there is to start a Terminal with, beside Java. `pin` is None if there is no jar that works; `broken` is
    what is wrong with the one that is there; `filesystem` is that of the credentials file. `shows_key`: one that runs
    shows its API key."""

    jar: Path
    pin: jars.Pin | None
    version: str
    broken: str
    credentials: Credentials
    filesystem: str
    shows_key: bool = False


def jar_of(config: TerminalConfig, running: Sequence[Invocation], home: Path) -> Path:
    """That of the Terminal that runs; else the one that `thetabulk terminal start` would take."""
    told = [each.jar for each in running if each.jar]
    return told[0] if told else jar_path(config, home)


def credentials_of(config: TerminalConfig, running: Sequence[Invocation], jar: Path) -> Path:
    """The file that the Terminal was told; else the configured one, or creds.txt beside the jar."""
    told = [each.credentials for each in running if each.credentials]
    if told:
        return told[0]
    return Path(config.credentials).expanduser().absolute() if config.credentials else jar.parent / credentials.NAME


def look_at_jar(path: Path, state_folder: Path, *, trust: bool) -> tuple[jars.Pin | None, str, str]:
    """(its pin, its version, what is wrong with it); with `trust` the jar of now is the one to remember."""
    try:
        version = jars.version(path)
        if trust:
            jars.trust(state_folder, path, jars.sha256(path))
        return jars.check(state_folder, path), version or next(iter(jars.builds(path)), ""), ""
    except FileNotFoundError:
        return None, "", ""
    except OSError as error:
        return None, "", f"{path} cannot be read ({error.strerror})"
    except ValueError as error:
        return None, "", str(error)


def findings(
    found: Java | Untold | None, kit: Kit, env: Mapping[str, str], *, needed: int, runs: bool
) -> list[Finding]:  # fmt: skip
    """`needed` is the oldest Java that will do; `runs`: a Terminal answers already, whoever started it."""
    told = [java_finding(found, needed, runs=runs), jar_finding(kit, runs=runs), account_finding(kit, env, runs=runs)]
    return [warn(each.check, each.text, each.advice, each.command) if runs and each.code else each for each in told]


def java_finding(java: Java | Untold | None, needed: int, *, runs: bool) -> Finding:
    get = f"install Java {needed} or newer, for example Temurin (adoptium.net), or set terminal.java"
    if isinstance(java, Untold):
        return unknown("java", java.reason)
    if java is None and runs:
        return ok("java", "none here, and none needed: the Terminal runs without it")
    if java is None:
        return problem("java", "there is none, and the Terminal needs it", get, code=_TERMINAL)
    if java.version is None:
        return problem("java", f"{java.path} does not work: {java.text}", get, code=_TERMINAL)
    if not java.is_enough(needed):
        return problem(
            "java", f"{java.path} is Java {java.version}; the Terminal needs {needed}", get, code=_TERMINAL
        )  # fmt: skip
    return ok("java", f"Java {java.version}, {java.path}")


def jar_finding(kit: Kit, *, runs: bool) -> Finding:
    if kit.broken:
        return problem(
            "jar", kit.broken, "a whole one from the vendor:", "thetabulk terminal fetch --replace", code=_TERMINAL
        )  # fmt: skip
    if kit.pin is None and runs:
        return ok("jar", "not seen, and not needed: the Terminal runs")
    if kit.pin is None:
        return problem(
            "jar", f"there is no Terminal at {kit.jar}", "bring it from the vendor, or set terminal.jar:",
            "thetabulk terminal fetch", code=_TERMINAL,
        )  # fmt: skip
    if kit.pin.standing == "changed":
        return problem(
            "jar", f"{kit.jar} has changed: its sha256 is {kit.pin.sha256[:16]}…, and was {kit.pin.known[:16]}…",
            "do not run it; but if it was you who replaced it:", "thetabulk doctor --trust-jar", code=_TERMINAL,
        )  # fmt: skip
    first = "seen first, and remembered: " if kit.pin.standing == "first" else ""
    version = f"version {kit.version}, " if kit.version else ""
    return ok("jar", f"{first}sha256 {kit.pin.sha256[:8]}…, {version}{kit.jar}")


def account_finding(kit: Kit, env: Mapping[str, str], *, runs: bool) -> Finding:
    """The credentials file by its facts; nothing of its content is known here."""
    facts = kit.credentials
    if kit.shows_key:
        return warn(
            "credentials", "the Terminal's command line shows its API key to every user of this machine",
            f"put it into the environment ({API_KEY}) or use --creds-file; and make a new key",
        )  # fmt: skip
    if facts.kind == "missing" and (runs or env.get(API_KEY)):
        return ok("credentials", f"{API_KEY} is set" if env.get(API_KEY) else "no file seen, and none needed: it runs")
    if facts.kind == "missing":
        return problem(
            "credentials", f"{facts.path} is not there",
            "two lines, the address and the password of the account; then:", f"chmod 600 '{facts.path}'",
            code=_ACCOUNT,
        )  # fmt: skip
    if facts.kind == "unreadable":
        return problem("credentials", f"{facts.path} cannot be read by this user", code=_ACCOUNT)
    if facts.kind != "file":
        what = "a symbolic link" if facts.kind == "link" else "no plain file"
        return problem("credentials", f"{facts.path} is {what}", "put the file itself there", code=_ACCOUNT)
    return _file_finding(facts, kit.filesystem)


def _file_finding(facts: Credentials, filesystem: str) -> Finding:
    if filesystem in NO_MODES or (filesystem == "fuseblk" and not facts.private):  # exFAT or NTFS by way of FUSE
        return problem(
            "credentials", f"{facts.path} lies on {filesystem}, which keeps no permissions: everybody may read it",
            "move it to the system's own disk, and set terminal.credentials", code=_ACCOUNT,
        )  # fmt: skip
    if not facts.private:
        return problem(
            "credentials", f"others may read {facts.path} (mode {facts.mode or 0:04o})",
            command=f"chmod 600 '{facts.path}'", code=_ACCOUNT,
        )  # fmt: skip
    if facts.lines != 2:
        count = "more than two lines" if facts.lines > 2 else f"{facts.lines} of the two lines"
        return problem(
            "credentials", f"{facts.path} has {count}", "line 1 is the account's address, line 2 its password",
            code=_ACCOUNT,
        )  # fmt: skip
    if facts.mode is None:
        return unknown("credentials", f"{facts.path}, two lines; who may read it is not looked at on Windows")
    return ok("credentials", f"{facts.path}, two lines, only for you")
