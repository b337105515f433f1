"""Secrets stay where they are, and nothing listens that should not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.commands import thetabulk
from tests.integration.serving import Served
from tests.integration.vendor import contract_list, vendor

Simulate = Callable[..., Served]
CANARY = "canary-8d1f"
SPAN = ("--from", "2024-07-30", "--to", "2024-07-31", "--interval", "1h")
_SECRETS = ("THETADATA_PASSWORD", "THETADATA_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")


def holding(folder: Path, text: str) -> Iterator[str]:
    """The files below a folder that hold this text, in themselves or in their names."""
    for path in folder.rglob("*"):
        if text in path.name or (path.is_file() and text.encode() in path.read_bytes()):
            yield path.relative_to(folder).as_posix()


def test_no_secret_of_this_machine_is_printed_or_stored(
    simulator: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither from the environment nor from a credentials file beside the store: not in what is told, the ledger, the
    data, the evidence or a traceback; whether all goes well, days fail, or we have made a mistake."""
    for name in _SECRETS:
        monkeypatch.setenv(name, CANARY)
    home = tmp_path / "home"
    home.mkdir()
    (home / "creds.txt").write_text(f"jo@example.com\n{CANARY}\n")
    monkeypatch.chdir(home)
    store = tmp_path / "s"
    bad = simulator("--faults", "500:days=2024-07-31;html:days=2024-07-30")
    told = [
        thetabulk("download", "QQQ", *SPAN, "--url", bad.url, "--store", store, "-v").told,
        thetabulk("resume", "--url", simulator().url, "--store", store, "--json").told,
        thetabulk("verify", "--store", store).told,
        thetabulk("status", "--gaps", "--store", store).told,
        thetabulk("config", "show").told,
    ]
    with monkeypatch.context() as broken:
        broken.setattr("thetabulk.cli.status.command", lambda: 1 // 0)
        told.append(thetabulk("status", "-v").told)
        told.append(thetabulk("status").told)
    assert "ZeroDivisionError" in told[-1]
    assert not [text for text in told if CANARY in text]
    (home / "creds.txt").unlink()
    assert list(holding(tmp_path, CANARY)) == []


@pytest.mark.parametrize("status", [200, 500])
def test_a_secret_in_the_vendors_words_is_not_stored(status: int, tmp_path: Path) -> None:
    """An error may repeat the account's address or a key: neither ledger, evidence nor the log of the run keeps it,
    nobody is shown it."""
    body = f"login of jo@example.com failed, password={CANARY} key td1_{CANARY}".encode()
    with vendor("QQQ", body, contract_list("QQQ", ()), status=status) as url:
        ended = thetabulk("download", "QQQ", *SPAN, "--url", url, "--store", tmp_path / "s")
    assert ended.code == 3
    assert CANARY not in ended.told
    [log] = (tmp_path / "state" / "runs").iterdir()
    assert "failed, password=" in log.read_text()
    assert list(holding(tmp_path, CANARY)) == []
    assert list(holding(tmp_path, "jo@example.com")) == []


def test_the_simulator_listens_on_this_machine_only(simulator: Simulate) -> None:
    """Nobody on the network can ask it."""
    port = int(simulator().url.rpartition(":")[2])
    listening = [one for one in psutil.Process(os.getpid()).net_connections("inet") if one.status == "LISTEN"]
    assert {one.laddr.ip for one in listening if one.laddr.port == port} == {"127.0.0.1"}
