"""Whose the port is, who can reach it, and which other programs may hold the account's one session."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from thetabulk.assembly.doctor.talk import Talk
from thetabulk.errors import TerminalUnavailable
from thetabulk.report.findings import Finding, ok, problem, unknown, warn
from thetabulk.report.units import duration, shorten
from thetabulk.terminal.listeners import Listener, Program

_LOOPBACK = ("127.", "::1", "::ffff:127.")
_COMMAND_WIDTH = 150
_FIREWALL = {
    "linux": "sudo iptables -I INPUT ! -i lo -p tcp --dport {port} -j DROP",
    "darwin": 'echo "block drop in quick on ! lo0 proto tcp to any port {port}" | '
    "sudo pfctl -a com.apple/thetabulk -Ef -",
    "win32": 'netsh advfirewall firewall add rule name="Theta Terminal {port}" dir=in action=block protocol=TCP '
    "localport={port}",
}


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def is_local(url: str) -> bool:
    """Whether the URL, as check_url gives it, leads to this machine."""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


def described(program: Program, now: datetime) -> str:
    """`pid 4242, for 3 d 4 h: java -jar ThetaTerminalv3.jar`."""
    since = f", for {duration((now - program.started).total_seconds())}" if program.started else ""
    return f"pid {program.pid}{since}: {shorten(program.command, _COMMAND_WIDTH)}"


def port_finding(port: int, found: Sequence[Listener], said: Talk, now: datetime) -> Finding:
    """Free, a Terminal's, or somebody else's."""
    programs = {each.program.pid: each.program for each in found if each.program}
    who = "; ".join(described(program, now) for program in programs.values())
    if said.foreign:
        return problem(
            "port", f"what answers on {port} is not a Theta Terminal" + (f" ({who})" if who else ""),
            "stop that program, or tell thetabulk where the Terminal listens: --url http://127.0.0.1:PORT",
            code=TerminalUnavailable.exit_code,
        )  # fmt: skip
    if who:
        return ok("port", f"{port}: {who}")
    if found or said.reached:
        return unknown(
            "port", f"{port} is in use; this system tells only root by whom",
            command=f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN",
        )  # fmt: skip
    return ok("port", f"{port} is free: nobody listens")


def exposure_finding(port: int, found: Sequence[Listener], platform: str) -> Finding | None:
    """Who can reach the Terminal, which asks nobody for a password; its build 202607271 listens everywhere, whatever
    its config says (thetadata-v3.md §4.2). None if nobody listens."""
    addresses = sorted({each.address for each in found if each.address})
    open_to = [address for address in addresses if not address.startswith(_LOOPBACK)]
    if open_to:
        line = _firewall_line(port, platform, ipv6=any(":" in each for each in open_to))
        return warn(
            "exposure", f"{', '.join(open_to)}:{port} listens beyond this machine: unless a firewall is in the way, "
            "everybody on your network can use the account, and stop the Terminal",
            "close it (and 25520, if it is open):", line,
        )  # fmt: skip
    if addresses:
        return ok("exposure", f"only this machine reaches port {port}")
    return unknown("exposure", f"who can reach port {port} is told to root only") if found else None


def _firewall_line(port: int, platform: str, *, ipv6: bool) -> str:
    """Linux has a table for each of the two protocols; who listens on `::` listens on both."""
    line = _FIREWALL.get(platform, _FIREWALL["linux"]).format(port=port)
    return f"{line}; {line.replace('iptables', 'ip6tables')}" if ipv6 and "iptables" in line else line


def others_finding(others: Sequence[Program], now: datetime) -> Finding:
    """Programs that look like a Terminal, or like the vendor's library, and are not the one at the port."""
    if not others:
        return ok("others", "no other Theta Terminal runs here")
    return warn(
        "others", "also runs here: " + "; ".join(described(each, now) for each in others),
        "one account has one session: the newer login takes it from the older one. Stop what is not needed",
    )  # fmt: skip
