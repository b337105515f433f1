"""Who listens, and who can reach it."""

from datetime import UTC, datetime, timedelta

import pytest

from thetabulk.assembly.doctor.port import exposure_finding, is_local, others_finding, port_finding, port_of
from thetabulk.assembly.doctor.talk import Talk
from thetabulk.errors import TerminalUnavailable
from thetabulk.report.findings import Level
from thetabulk.terminal.listeners import Listener, Program

NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)
JAVA = Program(4242, "java -jar ThetaTerminalv3.jar --creds-file /home/jo/creds.txt", NOW - timedelta(days=3, hours=4))
WELL = Talk("http://127.0.0.1:25503", None)
NOBODY = Talk("http://127.0.0.1:25503", TerminalUnavailable("nobody"), reached=False)


def listening(address: str, program: Program | None = JAVA) -> Listener:
    return Listener(address, 25503, program)


def test_the_owner_of_the_port_is_told_with_its_age() -> None:
    """Incident 1 took hours to find out that one had been up for four days."""
    found = port_finding(25503, [listening("127.0.0.1"), listening("::1")], WELL, NOW)
    assert (found.level, found.text) == (
        Level.OK, "25503: pid 4242, for 3 d 4 h: java -jar ThetaTerminalv3.jar --creds-file /home/jo/creds.txt",
    )  # fmt: skip


def test_an_owner_that_only_root_may_know_is_unknown() -> None:
    """With what to type; no alarm."""
    for found in (port_finding(25503, [listening("", None)], WELL, NOW), port_finding(25503, [], WELL, NOW)):
        assert (found.level, "lsof" in found.command) == (Level.UNKNOWN, True)


def test_a_free_port_is_fine() -> None:
    """That nobody answers is another check's word."""
    assert port_finding(25503, [], NOBODY, NOW).level is Level.OK


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7", "fe80::1"])
@pytest.mark.parametrize(("platform", "word"), [("linux", "iptables"), ("darwin", "pfctl"), ("win32", "netsh")])
def test_a_listener_beyond_this_machine_gets_the_firewall_line_of_its_system(
    address: str, platform: str, word: str
) -> None:  # fmt: skip
    """With the port in it, and without the loopback."""
    found = exposure_finding(25503, [listening(address)], platform)
    assert found is not None
    assert (found.level, word in found.command, "25503" in found.command) == (Level.WARN, True, True)


def test_both_tables_of_a_linux_firewall_are_named_where_both_are_open() -> None:
    """Java listens on `::`, which takes connections of either kind."""
    for address, tables in (("0.0.0.0", 1), ("::", 2)):
        found = exposure_finding(25503, [listening(address)], "linux")
        assert found is not None
        assert (found.command.count("sudo "), "sudo ip6tables" in found.command) == (tables, tables == 2)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1"])
def test_a_listener_on_the_loopback_is_no_alarm(address: str) -> None:
    """In every spelling."""
    found = exposure_finding(25503, [listening(address)], "linux")
    assert found is not None
    assert found.level is Level.OK


def test_without_a_listener_there_is_nothing_to_reach() -> None:
    """And one whose address is not told is unknown."""
    assert exposure_finding(25503, [], "linux") is None
    found = exposure_finding(25503, [listening("", None)], "linux")
    assert found is not None
    assert found.level is Level.UNKNOWN


def test_other_terminals_are_named() -> None:
    """All of them: each may hold the session."""
    other = Program(7, "java -jar old.jar")
    found = others_finding([JAVA, other], NOW)
    assert found.level is Level.WARN
    assert "pid 4242, for 3 d 4 h" in found.text
    assert "pid 7: java -jar old.jar" in found.text


@pytest.mark.parametrize(
    ("url", "port", "local"),
    [("http://127.0.0.1:25503", 25503, True), ("http://[::1]:7", 7, True), ("https://10.1.2.3:443", 443, False)],
)
def test_a_url_names_a_port_here_or_elsewhere(url: str, port: int, *, local: bool) -> None:
    """Only a Terminal here has a process here."""
    assert (port_of(url), is_local(url)) == (port, local)
