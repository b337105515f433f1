"""`thetabulk doctor` against faults that are really there, and against a machine where all is well."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli import small_store
from tests.cli.machine import ADDRESS, KEY, PASSWORD, SECRETS, Machine, Reply, healthy_machine
from tests.integration.commands import COMMAND, environment, thetabulk
from thetabulk import state
from thetabulk.assembly.doctor import place
from thetabulk.terminal import credentials

STATUS = "/v3/terminal/mdds/status"
QUOTES = "/v3/option/history/quote"
ROOT = os.name == "posix" and os.geteuid() == 0
resource = pytest.importorskip("resource", reason="the faults are planted as POSIX systems have them")
_SYSTEM = "/usr/sbin:/sbin:/usr/bin:/bin"
_LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1]); time.sleep(60)"
ROWS = f"""{small_store.HEADER}"QQQ","2024-08-16",460.000,"CALL",2024-08-02T09:30:00.000,1,5,1.00,50,2,9,1.10,50\n"""
_TERMINAL = f"""
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = {ROWS.encode()!r} if "history" in self.path else b"CONNECTED"
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler); print(server.server_address[1]); server.serve_forever()
"""
TERMINAL = {STATUS: Reply("CONNECTED"), QUOTES: Reply(ROWS)}
"""The least that a Terminal says, without a word about being a simulator."""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with healthy_machine(tmp_path / "machine", monkeypatch) as machine:
        yield machine


@dataclass(frozen=True)
class Fault:
    """A fault by its name: how it is planted, which check finds it, how bad it is, what is said; and the exit code of
    the whole, in which a Terminal counts too that is missing on purpose."""

    name: str
    plant: Callable[[Machine], object]
    check: str
    level: str
    words: str
    code: int = 0


def simulator(*arguments: str) -> Callable[[Machine], object]:
    return lambda machine: machine.simulator(*arguments)


def faults(specification: str) -> Callable[[Machine], object]:
    return simulator("--faults", specification)


def status(word: str) -> Callable[[Machine], object]:
    def plant(machine: Machine) -> None:
        machine.simulator().status = word

    return plant


def offline(then: Callable[[Machine], object]) -> Callable[[Machine], object]:
    """With no Terminal, so that what it needs to start counts."""

    def plant(machine: Machine) -> None:
        machine.nobody()
        then(machine)

    return plant


def online(then: Callable[[Machine], object]) -> Callable[[Machine], object]:
    def plant(machine: Machine) -> None:
        machine.simulator()
        then(machine)

    return plant


def setting(**variables: str) -> Callable[[Machine], object]:
    return lambda machine: machine.set(**{f"THETABULK_{name}": value for name, value in variables.items()})


# Planting


def a_swapped_jar(machine: Machine) -> None:
    machine.doctor()  # it is seen, and remembered
    with machine.jar.open("ab") as stream:
        stream.write(b"one byte more than the vendor sent")


def a_damaged_jar(machine: Machine) -> None:
    machine.jar.write_bytes(machine.jar.read_bytes()[:40])


def a_jar_that_is_not_there(machine: Machine) -> None:
    machine.set(THETABULK_TERMINAL_JAR="/opt/nowhere.jar", THETABULK_TERMINAL_CREDENTIALS=str(machine.credentials))


def no_java(machine: Machine) -> None:
    (machine.folder / "bin" / "java").unlink()


def a_hanging_java(machine: Machine) -> None:
    machine.script("java", "/bin/sleep 60")
    machine.set(THETABULK_DOCTOR_JAVA_TIMEOUT_S="0.3")


def a_linked_credentials_file(machine: Machine) -> None:
    real = machine.folder / "elsewhere.txt"
    machine.credentials.rename(real)
    machine.credentials.symlink_to(real)


def a_mute_port(machine: Machine) -> None:
    machine.set(THETABULK_DOCTOR_STATUS_TIMEOUT_S="0.3")
    process = machine.process("java", "-jar", "Hung.jar", code=_LISTEN)
    machine.url = f"http://127.0.0.1:{port_of(process)}"


def port_of(process: subprocess.Popen[bytes]) -> int:
    """Where a process of ours listens: found as the system tells it, for its first line has been read."""
    import psutil

    [address] = [each.laddr for each in psutil.Process(process.pid).net_connections("tcp") if each.status == "LISTEN"]
    return int(address.port)


def a_key_in_the_command_line(machine: Machine) -> None:
    process = machine.process("java", "-jar", "ThetaTerminalv3.jar", "--api-key", KEY, code=_TERMINAL)
    machine.url = f"http://127.0.0.1:{port_of(process)}"


def data_that_do_not_come(machine: Machine) -> None:
    machine.simulator("--faults", "stall:at=0")
    machine.set(THETABULK_DOCTOR_GOLDEN_TIMEOUT_S="0.3")


def another_terminal(machine: Machine) -> None:
    machine.process("java", "-jar", "/opt/ThetaTerminalv3.jar", ADDRESS, PASSWORD, code=_LISTEN)


def open_to_the_network(machine: Machine) -> None:
    machine.answering(TERMINAL, host="0.0.0.0")


def a_web_server(machine: Machine) -> None:
    machine.answering({"/": Reply("<html>It works!</html>")})


def a_clock_two_hours_off(machine: Machine) -> None:
    at = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 7_200))
    machine.answering({**TERMINAL, QUOTES: Reply(ROWS, headers={"Date": at})})


def files_from_the_future(machine: Machine) -> None:
    machine.answering(TERMINAL)
    small_store.small_store(machine.store)
    ahead = time.time() + 30 * 86_400
    os.utime(machine.store / "thetabulk.json", (ahead, ahead))


def few_descriptors(machine: Machine) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    machine.stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    machine.simulator()
    resource.setrlimit(resource.RLIMIT_NOFILE, (120, hard))


def a_machine_that_sleeps(machine: Machine) -> None:
    answer = "case $3 in sleep-inactive-ac-type) echo \"'suspend'\";; *) echo 'uint32 900';; esac"
    machine.script("gsettings", answer)
    machine.script("pmset", "echo ' sleep                15'")
    machine.set(THETABULK_SCREEN_KEEP_AWAKE="no")


def a_link_to_nowhere(machine: Machine) -> None:
    machine.store.symlink_to(machine.folder / "drive" / "that" / "is" / "gone")


def a_drive_that_is_gone(machine: Machine) -> None:
    machine.store = Path("/mnt/thetabulk-no-drive-is-here/store")


def a_known_store_that_is_gone(machine: Machine) -> None:
    machine.store = machine.folder / "drive" / "store"
    state.remember_store(state.state_folder(), machine.store, "0b7f", 77)


def a_damaged_identity(machine: Machine) -> None:
    small_store.small_store(machine.store)
    (machine.store / "thetabulk.json").write_text("{}", encoding="utf-8")


def a_link_in_the_store(machine: Machine) -> None:
    small_store.small_store(machine.store)
    (machine.store / "option").rename(machine.folder / "option")
    (machine.store / "option").symlink_to(machine.folder / "option")


def a_store_that_cannot_be_written(machine: Machine) -> None:
    small_store.small_store(machine.store)
    if not ROOT:
        machine.store.chmod(0o555)
        machine.stack.callback(machine.store.chmod, 0o755)
        return
    mount(machine, "--bind", machine.store, machine.store)
    mount(machine, "-o", "remount,bind,ro", machine.store)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/usr/bin/env", f"PATH={_SYSTEM}", *command], capture_output=True, text=True, check=False)


def mount(machine: Machine, *arguments: str | Path) -> None:
    done = run("mount", *arguments)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    machine.stack.callback(run, "umount", "-l", arguments[-1])


def a_mirror(machine: Machine) -> None:
    small_store.small_store(machine.store)
    (machine.store / ".thetabulk" / "mirror.json").write_text("{}", encoding="utf-8")


def a_store_of_real_data(machine: Machine) -> None:
    small_store.make(machine.store)


def files_of_a_gigabyte_at_most(machine: Machine) -> None:
    """Stands in for FAT32, which this system need not know: the same error for the same call (reliability.md §3)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    machine.stack.callback(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, hard))
    machine.flags.append("--drive-test")
    machine.set(THETABULK_DOCTOR_DRIVE_TEST_BYTES="1048576")


def a_drive_in_memory(machine: Machine) -> None:
    machine.store.mkdir()
    if not ROOT:
        pytest.skip("only root mounts")
    mount(machine, "-t", "tmpfs", "-o", "size=2m", "tmpfs", machine.store)


def a_full_drive(machine: Machine) -> None:
    a_drive_in_memory(machine)
    machine.set(THETABULK_STORE_FREE_FLOOR_BYTES="3000000")


def credentials_on_a_stick(machine: Machine) -> None:
    """A real exFAT, on which chmod does nothing; as in tests/chaos, where the system has the means."""
    image, stick = machine.folder / "stick.img", machine.folder / "stick"
    stick.mkdir()
    image.write_bytes(b"")
    os.truncate(image, 16 << 20)
    script = f"""
        set -e; mkfs.exfat {image} >&2; device=$(losetup --find --show {image})
        mount.exfat-fuse -o noatime $device {stick} >&2; echo $device
    """
    done = run("sh", "-c", script)
    if done.returncode:
        pytest.skip(f"no exFAT can be mounted here: {done.stderr.strip()[-80:]}")
    machine.stack.callback(run, "losetup", "--detach", done.stdout.strip())
    machine.stack.callback(run, "umount", stick)
    target = stick / "creds.txt"
    target.write_text(machine.credentials.read_text(encoding="utf-8"), encoding="utf-8")
    target.chmod(0o600)
    machine.set(THETABULK_TERMINAL_CREDENTIALS=str(target))


FAULTS = (
    Fault("no Java", offline(no_java), "java", "problem", "there is none", 8),
    Fault("Java 17", offline(lambda m: m.java("17.0.15")), "java", "problem", "is Java 17; the Terminal needs 21", 8),
    Fault("a broken Java", offline(lambda m: m.script("java", "echo no libjvm.so >&2; exit 1")),
          "java", "problem", "does not work: no libjvm.so", 8),
    Fault("a Java that hangs", offline(a_hanging_java), "java", "problem", "does not answer within 0.3 s", 8),
    Fault("a configured Java that is not there", offline(setting(TERMINAL_JAVA="/opt/nowhere/java")),
          "java", "problem", "/opt/nowhere/java does not work", 8),
    Fault("Java 17 beside a Terminal that runs", online(lambda m: m.java("17.0.15")),
          "java", "warn", "the Terminal needs 21"),
    Fault("Java 17 beside a Terminal without the vendor", lambda m: (status("DISCONNECTED")(m), m.java("17.0.15")),
          "java", "warn", "the Terminal needs 21", 8),
    Fault("no jar", offline(lambda m: m.jar.unlink()), "jar", "problem", "there is no Terminal at", 7),
    Fault("a damaged jar", offline(a_damaged_jar), "jar", "problem", "damaged, or no jar", 8),
    Fault("a configured jar that is not there", offline(a_jar_that_is_not_there),
          "jar", "problem", "there is no Terminal at /opt/nowhere.jar", 8),
    Fault("a jar that was swapped (F8)", offline(a_swapped_jar), "jar", "problem", "has changed", 8),
    Fault("no credentials file", offline(lambda m: m.credentials.unlink()),
          "credentials", "problem", "creds.txt is not there", 7),
    Fault("credentials that others may read (F4)", offline(lambda m: m.credentials.chmod(0o644)),
          "credentials", "problem", "(mode 0644)", 7),
    Fault("credentials behind a symbolic link (F4)", offline(a_linked_credentials_file),
          "credentials", "problem", "a symbolic link", 7),
    Fault("credentials of one line", offline(lambda m: m.credentials.write_text(PASSWORD)),
          "credentials", "problem", "1 of the two lines", 7),
    Fault("credentials of three lines", offline(lambda m: m.credentials.write_text(f"{ADDRESS}\n{PASSWORD}\n{KEY}")),
          "credentials", "problem", "more than two lines", 7),
    Fault("credentials on exFAT (F4)", offline(credentials_on_a_stick),
          "credentials", "problem", "which keeps no permissions", 7),
    Fault("an API key in the command line", a_key_in_the_command_line,
          "credentials", "warn", "shows its API key to every user"),
    Fault("nobody at the port", lambda m: m.nobody(), "terminal", "problem", "no Theta Terminal answers", 8),
    Fault("a web server at the port (D14)", a_web_server, "port", "problem", "is not a Theta Terminal", 8),
    Fault("a Terminal that hangs (D2)", a_mute_port, "terminal", "problem", "or it is stuck", 8),
    Fault("open to the network (D13)", open_to_the_network, "exposure", "warn", "listens beyond this machine"),
    Fault("another Terminal on this machine", offline(another_terminal), "others", "warn", "ThetaTerminalv3.jar", 8),
    Fault("a Terminal without the vendor (D9)", status("DISCONNECTED"), "terminal", "problem", "is DISCONNECTED", 8),
    Fault("a session that was taken (D7)", status("UNVERIFIED"), "terminal", "problem", "no valid session", 7),
    Fault("429 on the status (D8)", lambda m: m.answering({**TERMINAL, STATUS: Reply("Busy", 429)}),
          "terminal", "warn", "alive"),
    Fault("CONNECTED, but data say 474 (D15)", faults("474"), "data", "problem", "data requests get HTTP 474", 8),
    Fault("478 on data", faults("478"), "data", "problem", "the session was taken over", 7),
    Fault("still starting: 571 on data", faults("571"), "data", "problem", "HTTP 571", 8),
    Fault("476: another spelling of the address", faults("476"), "data", "problem", "refuses this spelling", 8),
    Fault("429 on data", faults("429"), "data", "warn", "too busy"),
    Fault("a Terminal of version 2: 410", faults("410"), "data", "problem", "HTTP 410", 8),
    Fault("500 on data", faults("500"), "data", "problem", "HTTP 500", 8),
    Fault("a known-good day said to be empty", faults("false472"), "data", "problem", "known to have some", 8),
    Fault("a header without rows", faults("header-only"), "data", "problem", "no rows for a day that has some", 8),
    Fault("a web page as data", faults("html"), "data", "problem", "another header", 8),
    Fault("a renamed column", faults("renamed-column"), "data", "problem", "another header", 8),
    Fault("rows of another day", faults("wrong-day:rows=all"), "data", "problem", "another day or symbol", 8),
    Fault("a torn answer", faults("cut:at=0.5"), "data", "problem", "broke off", 8),
    Fault("data that do not come", data_that_do_not_come,
          "data", "warn", "no answer came in time"),
    Fault("no options in the subscription", simulator("--tier", "free"), "data", "warn", "serves no option quotes"),
    Fault("a Terminal with another clock", a_clock_two_hours_off, "clock", "warn", "ahead of this one"),
    Fault("a clock that has gone back", files_from_the_future, "clock", "warn", "but files were written on"),
    Fault("a TZ that nobody knows", online(lambda m: m.set(TZ="Mars/Olympus")), "time zone", "warn", "no time zone"),
    Fault("few open files", few_descriptors, "open files", "warn", "only 120 at a time"),
    Fault("a machine that sleeps", online(a_machine_that_sleeps), "sleep", "warn", "sleeps after 15 min"),
    Fault("a proxy, and no Terminal", offline(lambda m: m.set(HTTPS_PROXY=f"http://jo:{PASSWORD}@proxy:3128")),
          "proxies", "warn", "HTTPS_PROXY=http://…@proxy:3128", 8),
    Fault("options for every Java", offline(lambda m: m.set(JAVA_TOOL_OPTIONS="-Xmx64m")),
          "proxies", "warn", "JAVA_TOOL_OPTIONS=-Xmx64m", 8),
    Fault("a drive that is not mounted", online(a_drive_that_is_gone), "store", "problem", "is not mounted", 4),
    Fault("a known store whose drive is gone", online(a_known_store_that_is_gone),
          "store", "problem", "is not mounted", 4),
    Fault("a store behind a link to nowhere", online(a_link_to_nowhere), "store", "problem", "which is not there", 4),
    Fault("a damaged identity", online(a_damaged_identity), "store", "problem", "thetabulk.json is damaged", 2),
    Fault("a symbolic link in the store (B27)", online(a_link_in_the_store), "store", "problem", "symbolic link", 6),
    Fault("a store that cannot be written", online(a_store_that_cannot_be_written),
          "store", "problem", "cannot be written", 6),
    Fault("a mirror", online(a_mirror), "store", "warn", "is the mirror"),
    Fault("real data, and the simulator answers", online(a_store_of_real_data),
          "store", "problem", "the two never mix", 2),
    Fault("a full drive", online(a_full_drive), "room", "problem", "a download needs", 5),
    Fault("little room", online(setting(DOCTOR_FREE_WARN_BYTES="1000000000000000")), "room", "warn", "only"),
    Fault("a store in memory", online(a_drive_in_memory), "file system", "warn", "tmpfs: gone when"),
    Fault("no large files", online(files_of_a_gigabyte_at_most), "large files", "warn", "no file of 4 GiB"),
    Fault("another machine without leave", lambda m: setattr(m, "url", "http://10.1.2.3:25503"),
          "address", "problem", "is not this machine", 2),
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_doctor_finds_a_planted_fault(fault: Fault, machine: Machine) -> None:
    """By its own check, as bad as it is, in words that name it; the exit code says the worst of all."""
    fault.plant(machine)
    found, code = machine.findings()
    assert (found[fault.check]["level"], code) == (fault.level, fault.code), found[fault.check]
    assert fault.words in found[fault.check]["text"]
    assert_nothing_secret(json.dumps(found))


def assert_nothing_secret(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


def test_more_than_thirty_faults_are_planted() -> None:
    """And no two of them under one name."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) > 30


@pytest.mark.parametrize("real", [False, True], ids=["the simulator", "a Terminal"])
@pytest.mark.parametrize("stored", [False, True], ids=["before the first download", "with a store"])
def test_a_healthy_machine_raises_no_alarm(machine: Machine, *, real: bool, stored: bool) -> None:
    """Everything is ok; only what a system does not tell may be unknown."""
    if real:
        machine.answering(TERMINAL)
    else:
        machine.simulator()
    if stored:
        small_store.make(machine.store, source="terminal" if real else "simulator")
    found, code = machine.findings("--drive-test")
    alarms = {check: each for check, each in found.items() if each["level"] not in ("ok", "unknown")}
    if alarms.get("file system", {}).get("text", "").startswith("tmpfs"):
        del alarms["file system"]  # the folder for these tests may lie in memory; that is worth a warning
    assert (alarms, code) == ({}, 0)
    assert {check for check, each in found.items() if each["level"] == "unknown"} <= {"sleep"}
    assert len(found) >= 20


def test_a_web_server_is_one_problem_that_names_its_process(machine: Machine) -> None:
    """D14: one word about it, with the process that everybody can look for."""
    a_web_server(machine)
    found, _ = machine.findings()
    assert [check for check, each in found.items() if each["level"] == "problem"] == ["port"]
    assert f"pid {os.getpid()}" in found["port"]["text"]


def test_data_are_believed_and_not_the_status(machine: Machine) -> None:
    """D15: the Terminal says CONNECTED, which is told as it is; what counts is that it cannot deliver."""
    machine.simulator("--faults", "474")
    found, code = machine.findings()
    assert (found["terminal"]["text"], found["data"]["level"], code) == (
        "the simulator: invented data, no account", "problem", 8,
    )  # fmt: skip
    assert "the status says CONNECTED, but" in found["data"]["text"]


def test_of_several_problems_the_worst_is_the_exit_code(machine: Machine) -> None:
    """A drive that is gone (4) before a session that was taken (7), as design §3 orders them."""
    machine.simulator().status = "UNVERIFIED"
    a_drive_that_is_gone(machine)
    found, code = machine.findings()
    assert (found["terminal"]["level"], found["store"]["level"], code) == ("problem", "problem", 4)


def test_every_line_fits_into_80_columns(machine: Machine) -> None:
    """But commands and paths, which are to be copied."""
    machine.nobody()
    for spoil in (no_java, a_swapped_jar, a_drive_that_is_gone, lambda m: m.credentials.chmod(0o644)):
        spoil(machine)
        lines = machine.doctor().out.decode().splitlines()
        long = [line[22:] for line in lines if len(line) > 80]
        assert [text for text in long if " " in text and not text.startswith("type: ")] == []
    assert f"type: chmod 600 '{machine.credentials}'" in "\n".join(lines)
    assert lines[-1].startswith("5 problems · ")


def test_quiet_tells_only_what_is_not_ok(machine: Machine) -> None:
    """And the count of all."""
    machine.nobody()
    lines = machine.doctor("--quiet").out.decode().splitlines()
    assert not any(line.startswith("ok") for line in lines)
    assert lines[0].startswith("problem  terminal")


def test_the_quick_form_asks_for_no_data_and_starts_nothing(machine: Machine) -> None:
    """It is the health check of the container, every few seconds."""
    simulator = machine.simulator()
    machine.script("java", "touch started")
    found, code = machine.findings("--quick")
    assert code == 0
    assert [each.path for each in simulator.requests] == [STATUS]
    assert not (machine.folder / "started").exists()
    assert {"terminal", "store", "room"} <= found.keys()
    assert not {"java", "jar", "credentials", "data"} & found.keys()


@pytest.mark.parametrize(("word", "code"), [("DISCONNECTED", 8), ("UNVERIFIED", 7)])
def test_the_quick_form_is_unhealthy_when_the_terminal_is(machine: Machine, word: str, code: int) -> None:
    """With the exit code that tells why."""
    machine.simulator().status = word
    assert machine.doctor("--quick").code == code


def test_nothing_makes_doctor_wait_for_more_than_five_seconds(machine: Machine) -> None:
    """A Java that hangs and a port that takes connections and never answers, with the time-outs as they are shipped."""
    a_hanging_java(machine)
    a_mute_port(machine)
    for name in ("STATUS_TIMEOUT_S", "GOLDEN_TIMEOUT_S", "JAVA_TIMEOUT_S"):
        machine.monkeypatch.delenv(f"THETABULK_DOCTOR_{name}", raising=False)
    began = time.monotonic()
    done = machine.doctor("--json")
    assert time.monotonic() - began < 5
    assert (done.code, json.loads(done.out)["seconds"] < 5) == (8, True)


def test_a_drive_that_hangs_is_a_problem_and_keeps_nobody_waiting(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """A call to the system that never comes back; the rest is examined meanwhile."""
    forever = threading.Event()
    monkeypatch.setattr(place, "look", lambda *_: forever.wait())
    machine.set(THETABULK_DOCTOR_LIMIT_S="1.5")
    machine.simulator()
    found, code = machine.findings()
    forever.set()
    assert (found["store"]["level"], found["terminal"]["level"], code) == ("problem", "ok", 4)
    assert "the drive does not answer: no answer within 1.5 s" in found["store"]["text"]


def test_a_terminal_that_outlasts_all_time_is_stuck(machine: Machine) -> None:
    """Whatever its own time-outs say."""
    a_mute_port(machine)
    machine.set(THETABULK_DOCTOR_LIMIT_S="1", THETABULK_DOCTOR_STATUS_TIMEOUT_S="30")
    found, code = machine.findings()
    assert (found["terminal"]["level"], code) == ("problem", 8)
    assert "is stuck: no answer within 1 s" in found["terminal"]["text"]


def test_a_jar_that_the_user_replaced_is_trusted_on_his_word(machine: Machine) -> None:
    """And from then on."""
    machine.nobody()
    a_swapped_jar(machine)
    assert machine.findings()[0]["jar"]["level"] == "problem"
    assert machine.findings("--trust-jar")[0]["jar"]["level"] == "ok"
    assert machine.findings()[0]["jar"]["level"] == "ok"


def test_the_jar_and_credentials_of_the_running_terminal_are_looked_at(machine: Machine) -> None:
    """Not those that happen to lie in this folder."""
    other = machine.folder / "other place"
    other.mkdir()
    (other / "my.jar").write_bytes(machine.jar.read_bytes())
    (other / "my creds").write_text("one line", encoding="utf-8")
    words = ("java", "-jar", str(other / "my.jar"), "--creds-file", str(other / "my creds"))
    machine.url = f"http://127.0.0.1:{port_of(machine.process(*words, code=_TERMINAL))}"
    found, code = machine.findings()
    assert str(other / "my.jar") in found["jar"]["text"]
    assert found["credentials"]["level"] == "warn"  # it runs: a problem only for the next start
    assert str(other / "my creds") in found["credentials"]["text"]
    assert code == 0


def test_doctor_waits_until_the_terminal_is_well(machine: Machine) -> None:
    """It says once what it waits for, and examines then."""
    simulator = machine.simulator()
    simulator.status = "DISCONNECTED"
    machine.set(THETABULK_DOCTOR_POLL_FIRST_S="0.05")

    def heal() -> None:
        while len(simulator.requests) < 3:
            time.sleep(0.01)
        simulator.status = "CONNECTED"

    healer = threading.Thread(target=heal)
    healer.start()
    done = machine.doctor("--wait")
    healer.join()
    assert done.code == 0
    assert done.err.count("waiting: the Terminal at") == 1


def test_doctor_does_not_wait_for_ever(machine: Machine) -> None:
    """When its patience is over it tells what is still wrong."""
    machine.nobody()
    machine.set(THETABULK_DOCTOR_POLL_FIRST_S="0.05", THETABULK_DOCTOR_WAIT_S="0.2")
    done = machine.doctor("--wait")
    assert (done.code, "waiting: no Theta Terminal answers" in done.err) == (8, True)
    assert "problem  terminal" in done.out.decode()


def test_doctor_changes_nothing_in_a_store(machine: Machine) -> None:
    """Not even with a drive test, which cleans up behind itself; nor is the store remembered as the one used last."""
    machine.answering(TERMINAL)
    small_store.small_store(machine.store)

    def files() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.stat().st_size, path.stat().st_mtime_ns) for path in machine.store.rglob("*") if path.is_file()
        }

    before = files()
    assert machine.doctor("--drive-test").code == 0
    assert files() == before
    assert machine.store not in state.known_stores(state.state_folder())


def test_a_run_of_ours_is_no_other_terminal(machine: Machine) -> None:
    """Although it may name the vendor's folder; somebody's script in such a folder may hold a session, and is told."""
    machine.nobody()
    words = ("-m", "thetabulk", "terminal", "start", "--jar", "/home/jo/thetadata/ThetaTerminalv3.jar")
    machine.process("python", *words, code=_LISTEN)
    assert machine.findings()[0]["others"]["level"] == "ok"
    machine.process("python", "/home/jo/thetadata/fetch.py", code=_LISTEN)
    found = machine.findings()[0]["others"]
    assert (found["level"], found["text"].count("pid ")) == ("warn", 1)


def test_the_drive_test_says_what_the_drive_can_do(machine: Machine) -> None:
    """For `--json` as a record; beside the place where the store will be, if there is none yet."""
    machine.simulator()
    document = json.loads(machine.doctor("--drive-test", "--json").out)
    assert {"sync", "locks", "sparse", "written_per_s", "past_cache"} <= document["drive"].keys()
    assert document["drive"]["intact"] is True
    assert not machine.store.exists()
    assert sorted(path.name for path in machine.folder.iterdir()) == ["ThetaTerminalv3.jar", "bin", "creds.txt"]


@pytest.mark.parametrize(
    "arguments", [(), ("--json",), ("-v",), ("--quiet",)], ids=lambda each: " ".join(each) or "plain"
)
def test_no_output_shows_a_secret(machine: Machine, arguments: tuple[str, ...]) -> None:
    """Neither what the file says, nor what stands in command lines, in the environment, or in the vendor's words."""
    a_key_in_the_command_line(machine)
    another_terminal(machine)
    machine.set(HTTPS_PROXY=f"http://{ADDRESS}:{PASSWORD}@proxy:3128", THETADATA_API_KEY=KEY)
    done = machine.doctor(*arguments)
    assert "credentials" in done.told
    assert_nothing_secret(done.told)
    machine.answering({STATUS: Reply("CONNECTED"), QUOTES: Reply(f"user {ADDRESS} password={PASSWORD} {KEY}", 500)})
    done = machine.doctor(*arguments)
    assert "HTTP 500" in done.told
    assert_nothing_secret(done.told)


@pytest.mark.parametrize("verbose", [True, False])
def test_no_traceback_shows_a_secret(machine: Machine, monkeypatch: pytest.MonkeyPatch, *, verbose: bool) -> None:
    """Even if a mistake of ours happens with the file's content in a buffer."""
    held = []

    def mistake(buffer: bytearray, size: int) -> int:
        held.append(bytes(buffer[:size]))
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(credentials, "_lines_in", mistake)
    machine.nobody()
    done = machine.doctor(*(["-v"] if verbose else []))
    assert PASSWORD.encode() in held[0]
    assert (done.code, "a mistake of ours" in done.err) == (1, True)
    kept = [file.read_text(encoding="utf-8") for file in state.state_folder().glob("*.txt")]
    assert len(kept) == (0 if verbose else 1)
    assert_nothing_secret(done.told + "".join(kept))


def in_a_process(machine: Machine, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command with an environment of its own: for what Python decides when it starts."""
    env = environment(machine.folder, **variables)
    return subprocess.run(
        [*COMMAND, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip


@pytest.fixture
def no_zones(machine: Machine) -> dict[str, str]:
    """A Python without time zone data: no files of the system, and a `tzdata` that is empty."""
    (machine.folder / "empty" / "tzdata").mkdir(parents=True)
    (machine.folder / "empty" / "tzdata" / "__init__.py").touch()
    (machine.folder / "zones").mkdir()
    ours = str(Path(__file__).parents[2])
    return {"PYTHONTZPATH": str(machine.folder / "zones"), "PYTHONPATH": f"{machine.folder / 'empty'}:{ours}"}


def test_missing_time_zones_are_found(machine: Machine, no_zones: dict[str, str]) -> None:
    """Without them there are no trading days, and a download ends before it begins, in plain words."""
    machine.simulator()
    done = in_a_process(machine, "doctor", "--url", machine.url, "--json", **no_zones)
    found = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert (done.returncode, found["time zone"]["level"]) == (1, "problem")
    assert "pip install --force-reinstall tzdata" in found["time zone"]["command"]
    done = in_a_process(machine, "download", "QQQ", "--url", machine.url, "--store", "s", **no_zones)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "the rules of America/New_York are missing" in done.stderr


def test_a_library_that_is_too_old_is_found(machine: Machine) -> None:
    """By what it says of itself, without importing it."""
    old = machine.folder / "old" / "pyarrow-12.0.1.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: pyarrow\nVersion: 12.0.1\n", encoding="utf-8")
    machine.simulator()
    path = f"{machine.folder / 'old'}:{Path(__file__).parents[2]}"
    done = in_a_process(machine, "doctor", "--url", machine.url, "--json", PYTHONPATH=path)
    found = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert (done.returncode, found["python"]["level"]) == (1, "problem")
    assert "pyarrow is 12.0.1, not 18.0 or newer" in found["python"]["text"]


def test_a_download_begins_with_the_quick_form(machine: Machine) -> None:
    """What is odd about the machine is told once; where nothing is, nothing is told."""
    machine.simulator()
    order = ("QQQ", "--from", "2024-08-02", "--to", "2024-08-02", "--url", machine.url, "--store", machine.store)
    assert "TZ=" not in thetabulk("download", *order).err
    machine.set(TZ="Mars/Olympus")
    assert "TZ=Mars/Olympus is no time zone" in thetabulk("download", *order).err


def test_without_a_known_store_there_is_nothing_to_complain_about(machine: Machine) -> None:
    """The first thing that somebody types, before any download."""
    machine.simulator()
    done = thetabulk("doctor", "--url", machine.url)
    assert (done.code, "none is known yet" in done.out.decode()) == (0, True)


def test_localhost_is_said_to_be_asked_as_its_number(machine: Machine) -> None:
    """A mixture of both is what the Terminal refuses (476)."""
    machine.simulator()
    machine.url = machine.url.replace("127.0.0.1", "localhost")
    assert "instead of localhost" in machine.findings()[0]["address"]["text"]


def test_first_contact_is_made_and_shown_around(machine: Machine) -> None:
    """`--probe`: the questions on stderr, what they taught on stdout, and a bundle without secrets."""
    machine.simulator()
    bundle = machine.folder / "bundle.json"
    done = machine.doctor("--probe", "--bundle", str(bundle))
    assert done.code == 0
    assert "asking: QQQ, a whole day" in done.err
    assert "First contact, about QQQ" in done.out.decode()
    assert "profile" in json.loads(bundle.read_text(encoding="utf-8"))
    done = machine.doctor("--probe", "--json")
    assert (done.code, len(done.lines)) == (0, 1)


def test_a_bundle_needs_a_probe(machine: Machine) -> None:
    """What there is not is said before anything is asked."""
    simulator = machine.simulator()
    done = machine.doctor("--bundle", "b.json")
    assert (done.code, simulator.requests) == (2, [])
