"""A run whose event loop is stuck says so, and where. Fault row A12."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.commands import thetabulk
from tests.integration.serving import Served
from thetabulk.fetch.limit import Limit


def test_a_run_that_is_stuck_for_a_moment_says_where(
    simulator: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On screen and for programs, with the stack; every day is saved all the same."""
    result, stuck = Limit.result, list[float]()

    def blocking(self: Limit, verdict: object) -> None:
        if not stuck:
            stuck.append(deadline := time.monotonic() + 1.0)
            while time.monotonic() < deadline:
                time.sleep(0.001)
        result(self, verdict)  # type: ignore[arg-type]

    monkeypatch.setattr(Limit, "result", blocking)
    monkeypatch.setenv("THETABULK_RUN_BLOCKED_S", "0.1")
    where = ("--url", simulator().url, "--interval", "1h", "--from", "2024-07-29", "--to", "2024-08-02")
    ended = thetabulk("download", "QQQ", *where, "--store", tmp_path / "s", "--json")
    assert (ended.code, ended.counts["saved"]) == (0, 5)
    told = [event for event in ended.events("blocked") if event["stack"][-1].endswith(" blocking")]
    assert len(told) == 1
    assert told[0]["seconds"] > 0.1
    assert any(place.startswith("fetch/fetcher.py:") for place in told[0]["stack"])
