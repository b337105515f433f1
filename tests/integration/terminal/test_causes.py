"""Why a real process is of no use, and what is done about it (rows D6 to D8, D10, D12, D13)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.integration.terminal.fake import CANARIES, QUICK, Bench, FakeHome, bench, lives, needs_jdk
from thetabulk.errors import AccountError, TerminalUnavailable
from thetabulk.events import Notice, TerminalStopped
from thetabulk.terminal import leash
from thetabulk.terminal.listeners import listeners
from thetabulk.terminal.ownership import TOKEN, Mark, Record, is_ours, read_record, write_record

pytestmark = needs_jdk


def stops(working: Bench) -> list[TerminalStopped]:
    return [event for event in working.events if isinstance(event, TerminalStopped)]


def another_program(command: list[str], environment: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Somebody else's process, that waits for its input to end."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


async def test_a_session_that_another_login_has(home: FakeHome, tmp_path: Path) -> None:
    """D7: our own is ended, nothing is started during the cool-down, then one try; local candidates are named."""
    script = tmp_path / "thetadata.py"
    script.write_text("input()")
    working = bench(home, tmp_path / "state")
    working.begin()
    await working.until_ready()
    with another_program([sys.executable, str(script)]) as python_session:
        home.tell(status=478, text="Invalid session ID. This can occur if more than one terminal is running")
        await working.until(lambda: stops(working))
        (stopped,) = stops(working)
        assert stopped.message == "another login has taken the account's one session"
        assert "maybe on another computer" in stopped.hint
        assert f"pid {python_session.pid} " in stopped.hint
        assert stopped.next_s == 1.5
        assert home.count("starts") == 1
        python_session.communicate(b"\n")
    home.tell()
    await working.until_ready()
    assert home.count("starts") == 2
    await working.end()


async def test_account_already_connected_in_the_log(home: FakeHome, tmp_path: Path) -> None:
    """D7: as incident 1 had it: the log says it and the process exits. No restart loop: the wait doubles."""
    home.tell(say="login refused: ACCOUNT_ALREADY_CONNECTED", deaf=1, exit_after_ms=0, exit_code=1)
    working = bench(home, tmp_path / "state")
    working.begin()
    await working.until(lambda: len(stops(working)) == 2)
    assert [(stop.cause, stop.next_s) for stop in stops(working)] == [("session-taken", 1.5), ("session-taken", 3.0)]
    assert home.count("starts") == 2
    await working.end()


async def test_what_a_data_request_was_told_counts_too(home: FakeHome, tmp_path: Path) -> None:
    """The guard of a run reports a 478 that the status does not show."""
    working = bench(home, tmp_path / "state")
    working.begin()
    await working.until_ready()
    working.supervisor.session_taken()
    await working.until(lambda: stops(working))
    assert stops(working)[0].cause == "session-taken"
    await working.until_ready()
    await working.end()


async def test_429_is_life_however_long(home: FakeHome, tmp_path: Path) -> None:
    """D8: no restart, and probes that keep quiet; the gate stays as it was."""
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    home.tell(status=429, text="Too many requests")
    asked = home.count("asked")
    await asyncio.sleep(3.2)  # hang_s three times over
    assert home.count("asked") - asked <= 3
    assert working.supervisor.status.pid == pid
    assert working.supervisor.capacity() > 0
    assert stops(working) == []
    home.tell()
    await working.end()


@pytest.mark.parametrize(("status", "text"), [(474, "Disconnected"), (571, "Server starting"), (200, "DISCONNECTED")])
async def test_a_lost_connection_shuts_the_gate_and_restarts_nothing(
    home: FakeHome, tmp_path: Path, status: int, text: str
) -> None:
    """The vendor's servers are gone: polled gently, and back by itself."""
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    home.tell(status=status, text=text)
    await working.until(lambda: working.supervisor.status.state == "waiting")
    assert working.supervisor.capacity() == 0
    await asyncio.sleep(1.5)
    assert stops(working) == []
    home.tell()
    assert await working.until_ready() == pid
    assert working.supervisor.capacity() > 0
    await working.end()


async def test_wrong_credentials(home: FakeHome, tmp_path: Path) -> None:
    """D10: exit code 7, and no second login."""
    home.tell(say="INVALID_CREDENTIALS", deaf=1, exit_after_ms=0, exit_code=1)
    working = bench(home, tmp_path / "state")
    working.begin()
    assert working.task is not None
    with pytest.raises(AccountError, match="the vendor refuses the credentials") as raised:
        await asyncio.wait_for(working.task, 20)
    assert "line 1 of the credentials file" in raised.value.hint
    assert home.count("starts") == 1
    assert working.supervisor.status.state == "failed"
    await working.end()


async def test_memory_that_runs_out(home: FakeHome, tmp_path: Path) -> None:
    """D12: a real OutOfMemoryError: one restart with a hint, then it is given up."""
    home.tell(exhaust=1)
    working = bench(home, tmp_path / "state")
    working.begin()
    assert working.task is not None
    with pytest.raises(TerminalUnavailable, match="ran out of memory again"):
        await asyncio.wait_for(working.task, 30)
    assert [stop.cause for stop in stops(working)] == ["out-of-memory", "out-of-memory"]
    assert "-Xmx" in stops(working)[0].hint
    assert home.count("starts") == 2
    assert "OutOfMemoryError" in working.log()
    await working.end()


async def test_killed_by_the_kernel_is_taken_for_memory(home: FakeHome, tmp_path: Path) -> None:
    """D12: exit 137 without a word is what a too small machine looks like."""
    working = bench(home, tmp_path / "state")
    working.begin()
    os.kill(await working.until_ready(), signal.SIGKILL)
    await working.until(lambda: stops(working))
    assert stops(working)[0].cause == "out-of-memory"
    await working.until_ready()
    await working.end()


async def test_a_flood_of_words_neither_stops_java_nor_fills_the_disk(home: FakeHome, tmp_path: Path) -> None:
    """D12: far more than a pipe holds is read to the end; the log is rotated, and only its owner may read it."""
    home.tell(flood=20_000)
    working = bench(home, tmp_path / "state", log_bytes=200_000)
    working.begin()
    await working.until_ready()
    files = sorted(working.place.log.parent.glob("*.log*"))
    assert [file.name.split(".log")[1] for file in files] == ["", ".1", ".2"]
    assert all(file.stat().st_size <= 200_000 for file in files)
    assert all(file.stat().st_mode & 0o077 == 0 for file in (*files, working.place.record))
    await working.end()


async def test_a_log_that_cannot_be_written_stops_nothing(home: FakeHome, tmp_path: Path) -> None:
    """D12: the disk is full (here: the log is a folder). The Terminal goes on."""
    working = bench(home, tmp_path / "state")
    working.place.log.mkdir(parents=True)
    home.tell(flood=5_000)
    working.begin()
    await working.until_ready()
    await working.end()


async def test_it_listens_on_every_interface(home: FakeHome, tmp_path: Path) -> None:
    """D13: its log may say 127.0.0.1; the system knows better, and doctor warns with it."""
    home.tell(host="0.0.0.0")
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    (listener,) = listeners(home.port)
    assert listener.address in ("0.0.0.0", "::")
    assert listener.program is not None
    assert listener.program.pid == pid
    await working.end()


async def test_a_start_that_takes_too_long(home: FakeHome, tmp_path: Path) -> None:
    """Neither a word nor an answer: ended and tried again; the message quotes what it said last."""
    home.tell(deaf=1, say="fetching something")
    working = bench(home, tmp_path / "state", settings=replace(QUICK, start_timeout_s=0.8))
    working.begin()
    await working.until(lambda: stops(working))
    assert stops(working)[0].cause == "did-not-start"
    assert "did not answer within" in stops(working)[0].message
    await working.end()


async def test_a_start_that_goes_on_talking_is_waited_for(home: FakeHome, tmp_path: Path) -> None:
    """The first start fetches its jar, for minutes; the restart loop of incident 1 began with a time-out of 47 s."""
    home.tell(late_ms=1_200)
    working = bench(home, tmp_path / "state", settings=replace(QUICK, start_timeout_s=5.0))
    working.begin()
    await working.until_ready()
    assert stops(working) == []
    await working.end()


# Whose process it is


@pytest.mark.parametrize("reused", ["pid", "pid and time", "pid and token"])
async def test_a_reused_pid_is_not_signalled(home: FakeHome, tmp_path: Path, reused: str) -> None:
    """D6: what is written down names a process that is another program's today. Each part of the identity counts."""
    signalled = tmp_path / "signalled"
    program = (
        f"import signal, sys\n"
        f"for number in set(signal.Signals) - {{signal.SIGKILL, signal.SIGSTOP}}:\n"
        f"    signal.signal(number, lambda n, _: open({str(signalled)!r}, 'a').write(f'{{n}}\\n'))\n"
        f"print('ready', flush=True)\nsys.stdin.read()\n"
    )
    environment = dict(os.environ) | ({TOKEN: "ours"} if "token" in reused else {})
    command = [sys.executable, "-c", program]
    with another_program(command, environment) as foreign:
        assert foreign.stdout is not None
        foreign.stdout.readline()
        created = psutil.Process(foreign.pid).create_time() - (0 if "time" in reused else 3_600)
        known = Mark(foreign.pid, created, "ours" if "token" in reused else "another")
        working = bench(home, tmp_path / "state")
        if reused == "pid and token":
            assert not is_ours(known)  # the next start would look for its token; nobody else's environment has it
        else:
            write_record(working.place.record, Record(known, None, {}))
            working.begin()
            await working.until_ready()
            await working.end()
        assert foreign.poll() is None
        assert not signalled.exists()
        foreign.communicate(b"")


async def test_an_orphan_is_taken_over_by_its_token(home: FakeHome, tmp_path: Path) -> None:
    """D5: its supervisor was killed −9. The next one goes on with it: no second login. Then it ends it, as its own."""
    first = bench(home, tmp_path / "state")
    first.begin()
    pid = await first.until_ready()
    assert first.task is not None
    first.task.cancel()  # no farewell, as after kill -9
    second = bench(home, tmp_path / "state")
    second.begin()
    assert await second.until_ready() == pid
    assert second.supervisor.status.ownership == "owned"
    assert [event.message for event in second.events if isinstance(event, Notice)] == [
        f"going on with our Terminal, which outlived its supervisor (pid {pid})"
    ]
    assert home.count("starts") == 1
    assert await second.end() == "asked"
    assert first.supervisor._life is not None
    assert first.supervisor._life.has_ended()


async def test_an_orphan_that_is_of_no_use_is_ended(home: FakeHome, tmp_path: Path) -> None:
    """D5: it does not answer any more; a new one takes its place, on the same port."""
    first = bench(home, tmp_path / "state")
    first.begin()
    pid = await first.until_ready()
    assert first.task is not None
    first.task.cancel()
    home.tell(hang=1)
    second = bench(home, tmp_path / "state")
    second.begin()
    await second.until(lambda: not lives(pid))
    home.tell()
    assert await second.until_ready() != pid
    assert first.supervisor._life is not None
    assert first.supervisor._life.has_ended()
    await second.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent (PDEATHSIG)")
def test_a_leashed_one_ends_with_its_supervisor(home: FakeHome, tmp_path: Path) -> None:
    """D5: for `--manage-terminal`. The supervisor is a process of its own here, and is killed −9."""
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.integration.terminal.fake import FakeHome, bench\n"
        "async def main():\n"
        f"    home = FakeHome(Path({str(home.folder)!r}), {home.port})\n"
        f"    working = bench(home, Path({str(tmp_path / 'state')!r}), leashed=True)\n"
        "    working.begin()\n"
        "    print(await working.until_ready(), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        terminal = psutil.Process(pid)
        assert leash.__file__ not in terminal.cmdline()
        supervisor.kill()
    terminal.wait(10)
    assert read_record(tmp_path / "state" / f"{home.port}.json").terminal is not None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent (PDEATHSIG)")
def test_a_leash_whose_holder_is_gone_starts_nothing(tmp_path: Path) -> None:
    """The parent may end before the wish is told to the kernel: then nobody would end the child."""
    trace = tmp_path / "trace"
    command = [sys.executable, "-I", "-S", leash.__file__, "1", "/bin/sh", "-c", f"echo ran > {trace}"]
    assert subprocess.run(command, check=False).returncode == 1
    assert not trace.exists()


# Secrets


async def test_no_secret_is_anywhere(home: FakeHome, tmp_path: Path) -> None:
    """The stand-in prints its credentials; they are in no log, no record, no event, no argument, and in nobody's
    environment. What our own environment holds does not reach Java."""
    canary = "canary-of-the-environment"
    environment = dict(os.environ) | {"THETABULK_STORE": canary, "AWS_SECRET_ACCESS_KEY": canary,
                                      "THETADATA_API_KEY": canary, "JAVA_TOOL_OPTIONS": f"-D{canary}=1"}  # fmt: skip
    working = bench(home, tmp_path / "state", environment=environment)
    working.begin()
    process = psutil.Process(await working.until_ready())
    inherited = process.environ()
    arguments = " ".join(process.cmdline())
    assert canary not in json.dumps(inherited)
    assert set(inherited) <= {"HOME", "JAVA_HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", TOKEN} | {
        name for name in inherited if name.startswith("LC_")
    }
    await working.end()
    written = "".join(file.read_text() for file in (tmp_path / "state").rglob("*") if file.is_file())
    assert "Logging in as" in written
    for secret in (*CANARIES, canary, "canary-session-id"):
        assert secret not in written
        assert secret not in arguments
        assert secret not in repr(working.events)
        assert secret not in repr(working.supervisor.status)
