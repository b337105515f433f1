"""This machine: its clock and time zones, its Python, its limits, when it sleeps, what leads elsewhere."""

import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thetabulk.config import DoctorConfig
from thetabulk.errors import ThetabulkError
from thetabulk.fetch.client import Answer
from thetabulk.redaction import without_secrets
from thetabulk.report.findings import Finding, ok, problem, unknown, warn
from thetabulk.report.units import duration

NEW_YORK = "America/New_York"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_JAVA_OPTIONS = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")
_WANTED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<least>[0-9.]+)")
_OURS = ThetabulkError.exit_code
_LOCAL_TIMES_S = 26 * 3_600
"""exFAT keeps local times: a file may seem to be written so far ahead, and is not."""


def clock_finding(reply: object, settings: DoctorConfig, now: datetime, known: Iterable[datetime]) -> Finding:
    """The clock against what has happened already (`known` are times of files, which can only be in the past), and
    against the Terminal's: the `Date` of its answer, which differs only in a container or on another machine."""
    newest = max(known, default=None)
    if newest is not None and (newest - now).total_seconds() > _LOCAL_TIMES_S:
        return warn(
            "clock", f"it says {now:%Y-%m-%d %H:%M} UTC, but files were written on {newest:%Y-%m-%d}",
            "set it: which days are settled is reckoned by it",
        )  # fmt: skip
    theirs = _date_of(reply) if isinstance(reply, Answer) else None
    ahead_s = (theirs - now).total_seconds() if theirs else 0.0
    if abs(ahead_s) > settings.clock_drift_s:
        return warn(
            "clock", f"the Terminal's is {duration(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'behind'} this one",
            "one of the two is wrong: set it by the network's time",
        )  # fmt: skip
    return ok("clock", f"{now:%Y-%m-%d %H:%M} UTC" + (", and the Terminal agrees" if theirs else ""))


def _date_of(answer: Answer) -> datetime | None:
    try:
        found = parsedate_to_datetime(answer.headers.get("date", ""))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def zone_finding(env: Mapping[str, str]) -> Finding:
    """Trading days are New York's; a TZ that nobody knows only shifts what is local: the screen, and `--until`."""
    try:
        ZoneInfo(NEW_YORK)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return problem(
            "time zone", f"the rules of {NEW_YORK} are missing: no trading day can be told",
            command=f"{sys.executable} -m pip install --force-reinstall tzdata", code=_OURS,
        )  # fmt: skip
    local = env.get("TZ", "").removeprefix(":")
    if re.fullmatch(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)+", local):
        try:
            ZoneInfo(local)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            return warn(
                "time zone", f"TZ={local} is no time zone: local times are taken for UTC, in --until too",
                "correct TZ, or unset it; the trading days are not affected",
            )  # fmt: skip
    return ok("time zone", f"the rules of {NEW_YORK} are there" + (f"; local: {local}" if local else ""))


def python_finding() -> Finding:
    """Python and the libraries, against what this thetabulk was made for; nothing is imported."""
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    try:
        wanted = [_WANTED.match(line) for line in metadata.requires("thetabulk") or () if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        return unknown("python", f"{version}; thetabulk is not installed, so nobody says what it needs")
    wrong = [told for found in wanted if found and (told := _lacking(found["name"], found["least"]))]
    if wrong:
        return problem(
            "python", f"{version}, but {', '.join(wrong)}",
            command=f"{sys.executable} -m pip install --upgrade thetabulk", code=_OURS,
        )  # fmt: skip
    return ok("python", f"{version}, pyarrow {metadata.version('pyarrow')}, and what else is needed")


def _lacking(name: str, least: str) -> str:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is missing"
    return f"{name} is {found}, not {least} or newer" if _numbers(found) < _numbers(least) else ""


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def descriptors() -> int | None:
    """How many files this process may open; None where there is no such limit (Windows)."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def descriptors_finding(limit: int | None, settings: DoctorConfig) -> Finding:
    if limit is not None and limit < settings.descriptors_min:
        return warn(
            "open files", f"only {limit} at a time: a download with many workers may run out of them",
            command="ulimit -n 1024",
        )  # fmt: skip
    return ok("open files", f"{limit:,} at a time" if limit is not None else "no limit")


def sleep_finding(after_s: float | None, *, keep_awake: bool) -> Finding:
    """`after_s` as terminal/idleness.py tells it. A download keeps the machine awake by itself, unless told not to."""
    if after_s is None:
        return unknown(
            "sleep", "not told by this system" + ("; a download keeps it awake" if keep_awake else "")
        )  # fmt: skip
    if not after_s:
        return ok("sleep", "never by itself")
    if keep_awake:
        return ok("sleep", f"after {duration(after_s)}, but not during a download; a closed lid may still")
    return warn(
        "sleep", f"this machine sleeps after {duration(after_s)}, also during a download",
        "let downloads keep it awake: screen.keep_awake = true in the config file", "thetabulk config path",
    )  # fmt: skip


def detour_finding(env: Mapping[str, str], *, connected: bool) -> Finding:
    """Proxies, which neither thetabulk nor Java takes from the environment; and options that every Java takes."""
    proxies = [name for name in env if name.lower() in _PROXIES and env[name]]
    options = [name for name in _JAVA_OPTIONS if env.get(name)]
    told = [f"{name}={without_secrets(env[name])}" for name in (*proxies, *options)]
    if not told:
        return ok("proxies", "none in the environment")
    if connected:
        return ok("proxies", f"{', '.join(told)}: not used for the Terminal, which is connected without")
    meaning = "neither thetabulk nor the Terminal uses it" if proxies else "it changes every Java that is started here"
    return warn(
        "proxies", f"{', '.join(told)}: {meaning}",
        "if this network lets nothing out but through a proxy, start the Terminal yourself, by java "
        "-Dhttps.proxyHost=… -Dhttps.proxyPort=… -jar …"
        if proxies else "unset it, if the Terminal does not start",
    )  # fmt: skip
