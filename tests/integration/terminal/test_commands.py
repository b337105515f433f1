"""`thetabulk terminal …` as a person types it: real processes, the Java stand-in, exit codes (rows D5, D10, D11)."""

import json
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.commands import Done, process
from tests.integration.terminal.conftest import those_of
from tests.integration.terminal.fake import CANARIES, FakeHome, lives, needs_jdk
from thetabulk.terminal.listeners import is_free
from thetabulk.terminal.ownership import read_record

pytestmark = needs_jdk

Command = Callable[..., Done]


def settings(home: FakeHome) -> dict[str, Any]:
    return {
        "THETABULK_URL": home.url,
        "THETABULK_TERMINAL_JAR": str(home.jar),
        "THETABULK_TERMINAL_JAVA_NEEDED": "17",
        "THETABULK_RUN_SESSION_COOLDOWN_S": "600",
        "THETABULK_TERMINAL_PROBE_FIRST_S": "0.1",
        "THETABULK_TERMINAL_PROBE_EVERY_S": "0.3",
        "THETABULK_TERMINAL_TICK_S": "0.05",
        "THETABULK_TERMINAL_RESTART_FIRST_S": "0.2",
        "THETABULK_TERMINAL_STOP_GRACE_S": "3",
        "THETABULK_TERMINAL_PORT_WAIT_S": "0.5",
    }


@pytest.fixture
def terminal(home: FakeHome, tmp_path: Path) -> Iterator[Command]:
    """`terminal("start")`: a command line in a process of its own; what it leaves running is stopped at the end."""

    def run(*words: str, **more: str) -> Done:
        with process("terminal", *words, home=tmp_path / "user", **{**settings(home), **more}) as running:
            return running.ended()

    yield run
    known = read_record(record_of(home, tmp_path)).supervisor
    run("stop")
    if known is not None and known.token and lives(known.pid):
        with suppress(psutil.Error):
            psutil.Process(known.pid).wait(10)


def record_of(home: FakeHome, tmp_path: Path) -> Path:
    return tmp_path / "user" / "xdg_state_home" / "thetabulk" / "terminal" / f"{home.port}.json"


def until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_start_status_logs_restart_stop(home: FakeHome, terminal: Command, tmp_path: Path) -> None:
    """The whole life: connected when `start` returns, still there when it has ended, gone when `stop` returns."""
    started = terminal("start", "--json")
    assert started.code == 0, started.told
    document = started.document
    assert (document["ownership"], document["state"], document["word"]) == ("owned", "ready", "CONNECTED")
    assert document["tiers"] == {"stock": "standard", "option": "pro", "index": "free", "rate": "free"}
    pid = document["pid"]
    assert lives(pid)

    shown = terminal("status")
    assert shown.code == 0
    assert "ours: started by thetabulk, and stopped by it" in shown.out.decode()
    assert max(len(line) for line in shown.out.decode().splitlines()) <= 80

    again = terminal("start", "--json")
    assert (again.code, again.document["pid"]) == (0, pid)

    logs = terminal("logs", "-n", "2", "--json").document
    assert logs["lines"][-1] == f"Starting server at: {home.url}/"
    assert len(logs["lines"]) == 2

    restarted = terminal("restart", "--json").document
    assert restarted["pid"] != pid
    assert home.count("starts") == 2

    assert terminal("stop").code == 0
    assert those_of(home) == []
    assert is_free(home.port)
    gone = terminal("status", "--json")
    assert (gone.code, gone.document["ownership"], gone.document["supervised"]) == (8, "absent", False)
    assert terminal("stop").code == 0
    everything = b"".join(file.read_bytes() for file in (tmp_path / "user").rglob("*") if file.is_file())
    for canary in CANARIES:
        assert canary.encode() not in everything


def test_two_starts_at_once_are_one(home: FakeHome, terminal: Command, tmp_path: Path) -> None:
    """The slower one waits for what the faster one has begun, and tells the same."""
    words = ("terminal", "start", "--json")
    with (
        process(*words, home=tmp_path / "user", **settings(home)) as one,
        process(*words, home=tmp_path / "user", **settings(home)) as other,
    ):
        done = [one.ended(), other.ended()]
    assert [each.code for each in done] == [0, 0], [each.told for each in done]
    assert done[0].document["pid"] == done[1].document["pid"]
    assert home.count("starts") == 1
    assert terminal("stop").code == 0


def test_the_supervisor_restarts_what_dies(home: FakeHome, terminal: Command) -> None:
    """Long after `start` has returned."""
    pid = terminal("start", "--json").document["pid"]
    os.kill(pid, signal.SIGTERM)
    until(lambda: home.count("starts") == 2)
    until(lambda: terminal("status").code == 0)
    assert terminal("status", "--json").document["restarts"] == 1


def test_a_supervisor_that_is_killed_is_succeeded(home: FakeHome, terminal: Command, tmp_path: Path) -> None:
    """D5: kill -9 of the supervisor. Its Terminal lives on; the next start takes it over, and stop ends it."""
    pid = terminal("start", "--json").document["pid"]
    supervisor = read_record(record_of(home, tmp_path)).supervisor
    assert supervisor is not None
    psutil.Process(supervisor.pid).kill()
    until(lambda: terminal("status", "--json").document["supervised"] is False)
    assert terminal("status", "--json").document["ownership"] == "owned"
    again = terminal("start", "--json")
    assert (again.code, again.document["pid"], home.count("starts")) == (0, pid, 1)
    assert terminal("stop").code == 0
    assert those_of(home) == []


def test_an_orphan_can_be_stopped_without_a_supervisor(home: FakeHome, terminal: Command, tmp_path: Path) -> None:
    """D5: what a killed supervisor has left is still ours to end."""
    terminal("start")
    supervisor = read_record(record_of(home, tmp_path)).supervisor
    assert supervisor is not None
    psutil.Process(supervisor.pid).kill()
    until(lambda: not lives(supervisor.pid))
    stopped = terminal("stop")
    assert stopped.code == 0
    assert "had left behind" in stopped.err
    assert those_of(home) == []


def test_a_foreign_terminal_is_told_and_never_stopped(home: FakeHome, terminal: Command) -> None:
    """Adopted: `start` has nothing to do, `stop` and `restart` refuse, with its pid."""
    with home.run() as foreign:
        until(lambda: not is_free(home.port))
        started = terminal("start", "--json")
        assert (started.code, started.document["ownership"], started.document["pid"]) == (0, "adopted", foreign.pid)
        for word in ("stop", "restart"):
            refused = terminal(word)
            assert refused.code == 2
            assert f"pid {foreign.pid} " in refused.err
            assert "only what it has started" in refused.err
        assert foreign.poll() is None
        foreign.terminate()


def test_wrong_credentials_end_with_seven_and_one_login(home: FakeHome, terminal: Command) -> None:
    """D10: the start says it, with the fix; nothing goes on in the background."""
    home.tell(say="INVALID_CREDENTIALS", deaf=1, exit_after_ms=0, exit_code=1)
    started = terminal("start")
    assert started.code == 7
    assert "the vendor refuses the credentials" in started.err
    assert home.count("starts") == 1
    assert terminal("status", "--json").document["supervised"] is False


def test_a_taken_session_is_told_at_once_and_its_cool_down_is_kept(home: FakeHome, terminal: Command) -> None:
    """Exit code 7; the supervisor waits. Stopped and started again within it: told when a start is wise."""
    home.tell(text="UNVERIFIED")
    started = terminal("start")
    assert started.code == 7, started.told
    assert "another login has taken the account's one session" in started.err
    status = terminal("status", "--json")
    assert (status.code, status.document["cause"]) == (7, "session-taken")
    assert status.document["next_try_at"] is not None, status.told
    assert terminal("stop").code == 0
    home.tell()
    refused = terminal("start")
    assert refused.code == 7
    assert "--now does not wait" in refused.err
    assert home.count("starts") == 1
    assert terminal("start", "--now").code == 0


def test_what_a_dead_supervisor_has_written_down_is_not_taken_for_the_new_ones(
    home: FakeHome, terminal: Command, tmp_path: Path
) -> None:
    """The machine went down in a cool-down that is over by now: a start is a start."""
    record = record_of(home, tmp_path)
    record.parent.mkdir(parents=True)
    details = {"state": "cooling", "cause": "session-taken", "message": "long ago", "hint": "", "restarts_at": [],
               "next_try_at": time.time() - 60}  # fmt: skip
    record.write_text(json.dumps({"terminal": None, "supervisor": None, "details": details}))
    started = terminal("start")
    assert started.code == 0, started.told
    assert "long ago" not in started.err


def test_a_jar_that_is_not_there_cannot_be_trusted(home: FakeHome, terminal: Command) -> None:
    """Exit code 8 and what to type, as without the flag."""
    home.jar.unlink()
    refused = terminal("start", "--trust-jar")
    assert refused.code == 8
    assert "`thetabulk terminal fetch` brings it" in refused.err


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        ("no java", 8, "there is no Java on this machine"),
        ("java 17", 8, "is Java 17, and the Terminal needs 21 or newer"),
        ("broken java", 8, "is no Java that works"),
        ("no jar", 8, "`thetabulk terminal fetch` brings it"),
        ("damaged jar", 8, "is damaged, or no jar"),
        ("no credentials", 7, "creds.txt is not there"),
        ("one line", 7, "does not have two lines"),
        ("open credentials", 7, "chmod 600"),
    ],
)
def test_what_is_missing_is_told_with_its_fix(
    home: FakeHome, terminal: Command, tmp_path: Path, spoil: str, code: int, said: str
) -> None:
    """D11: each in one sentence and one thing to type; nothing is started."""
    more = {}
    if spoil == "no java":
        more = {"PATH": str(tmp_path), "JAVA_HOME": ""}
    elif spoil == "java 17":
        fake = tmp_path / "java"
        fake.write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\"' >&2\n")
        fake.chmod(0o755)
        more = {"THETABULK_TERMINAL_JAVA": str(fake), "THETABULK_TERMINAL_JAVA_NEEDED": "21"}
    elif spoil == "broken java":
        more = {"THETABULK_TERMINAL_JAVA": str(home.creds)}
    elif spoil == "no jar":
        home.jar.unlink()
    elif spoil == "damaged jar":
        home.jar.write_bytes(home.jar.read_bytes()[:500])
    elif spoil == "no credentials":
        home.creds.unlink()
    elif spoil == "one line":
        home.creds.write_text("only one\n")
    else:
        home.creds.chmod(0o644)
    refused = terminal("start", **more)
    assert refused.code == code, refused.told
    assert said in refused.err
    assert home.count("starts") == 0


def test_a_changed_jar_is_not_run_before_somebody_says_so(home: FakeHome, terminal: Command, tmp_path: Path) -> None:
    """D11: remembered at its first start; another one in its place stops and asks."""
    assert terminal("start").code == 0
    assert terminal("stop").code == 0
    other = tmp_path / "other.jar"
    shutil.copy(home.jar, other)
    with zipfile.ZipFile(other, "a") as archive:
        archive.writestr("another", "file")
    other.replace(home.jar)
    refused = terminal("start")
    assert refused.code == 8
    assert "is not the jar that was used before" in refused.err
    assert home.count("starts") == 1
    words = ("terminal", "start", "--foreground", "--trust-jar", "--json")
    with process(*words, home=tmp_path / "user", **settings(home)) as running:
        running.until("terminal_started")
        running.popen.send_signal(signal.SIGTERM)
        assert running.ended().code == 0
    assert terminal("start").code == 0


def test_a_start_that_fails_says_what_java_said(home: FakeHome, terminal: Command, tmp_path: Path) -> None:
    """An exit at every start: shown at once, while the supervisor goes on trying within its limits."""
    home.tell(say="some reason of its own", deaf=1, exit_after_ms=0, exit_code=3)
    with process("terminal", "start", home=tmp_path / "user", **settings(home)) as running:
        until(lambda: "it exited with code 3" in running.err, 30)
        running.kill()
    shown = terminal("status", "--json")
    assert shown.code == 8
    assert shown.document["supervised"] is True


def test_another_machine_is_not_ours_to_start_on(terminal: Command) -> None:
    """Exit code 2: only its own machine can start it."""
    refused = terminal("start", "--url", "http://192.0.2.1:25503", THETABULK_TERMINAL_ALLOW_REMOTE="yes")
    assert refused.code == 2
    assert "another machine" in refused.err


def test_in_the_foreground_everything_is_told_until_a_signal(home: FakeHome, tmp_path: Path) -> None:
    """For services: TERM ends it in good order, with its Terminal."""
    words = ("terminal", "start", "--foreground", "--json")
    with process(*words, home=tmp_path / "user", **settings(home)) as running:
        running.until("terminal_started")
        running.popen.send_signal(signal.SIGTERM)
        assert running.ended().code == 0
    assert those_of(home) == []


def test_fetch_tells_source_and_hash(home: FakeHome, terminal: Command, tmp_path: Path) -> None:
    """Against a server of this machine; the jar lies where `start` looks for it."""
    import hashlib
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    handler = partial(SimpleHTTPRequestHandler, directory=str(home.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/ThetaTerminalv3.jar"
        target = tmp_path / "fetched" / "ThetaTerminalv3.jar"
        done = terminal("fetch", "--from", url, THETABULK_TERMINAL_JAR=str(target))
        server.shutdown()
    assert done.code == 0, done.told
    assert url in done.err
    assert hashlib.sha256(home.jar.read_bytes()).hexdigest() in done.out.decode()
    assert target.read_bytes() == home.jar.read_bytes()
    remembered = json.loads((tmp_path / "user" / "xdg_state_home" / "thetabulk" / "jars.json").read_text())
    assert list(remembered["jars"]) == [str(target)]
