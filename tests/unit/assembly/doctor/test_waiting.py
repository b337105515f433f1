"""Waiting for the Terminal, on a clock that is not this machine's."""

from dataclasses import dataclass, field, replace

import pytest

from thetabulk.assembly.doctor.talk import Talk
from thetabulk.assembly.doctor.waiting import wait_for_terminal
from thetabulk.config import Config, TerminalConfig
from thetabulk.errors import AccountError, TerminalUnavailable, ThetabulkError, UsageError
from thetabulk.fetch.client import Answer
from thetabulk.report.findings import Finding

LOST = Answer(474, b"Connection lost", {}, 0.1)


@dataclass
class Patience:
    """Asks a Terminal that says these things one after the other, the last one for ever."""

    talks: list[Talk]
    now_s: float = 0.0
    asked_at: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def ask(self, config: Config, url: str, *, golden: bool) -> Talk:
        self.asked_at.append(self.now_s)
        return self.talks.pop(0) if len(self.talks) > 1 else self.talks[0]

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def tell(self, finding: Finding) -> None:
        self.told.append(finding.text)

    def wait(self) -> bool:
        return wait_for_terminal(
            Config(), tell=self.tell, golden=True, ask=self.ask, sleep=self.sleep, now=lambda: self.now_s
        )


def saying(trouble: ThetabulkError | None, golden: Answer | None = None) -> Talk:
    return Talk("http://127.0.0.1:25503", trouble, golden=golden)


def test_a_terminal_that_is_well_is_not_waited_for() -> None:
    """Nothing is told."""
    patience = Patience([saying(None)])
    assert (patience.wait(), patience.asked_at, patience.told) == (True, [0.0], [])


def test_each_new_trouble_is_told_once() -> None:
    """Absent, absent, starting, well."""
    absent, starting = TerminalUnavailable("nobody answers"), TerminalUnavailable("it is starting")
    patience = Patience([saying(absent), saying(absent), saying(starting), saying(None)])
    assert patience.wait()
    assert patience.told == ["nobody answers", "it is starting"]
    assert patience.asked_at == [0, 2, 4, 6]


def test_patience_ends() -> None:
    """After ten minutes, with what is wrong told; a session that was taken is waited for like the rest."""
    patience = Patience([saying(AccountError("no session"))])
    assert not patience.wait()
    assert patience.told == ["no session"]
    assert 595 < patience.asked_at[-1] <= 600


def test_data_that_fail_are_asked_for_ever_more_rarely() -> None:
    """Each costs the account a request: about a dozen in ten minutes, and at most one a minute in the end."""
    patience = Patience([saying(None, LOST)])
    assert not patience.wait()
    gaps = [later - sooner for sooner, later in zip(patience.asked_at, patience.asked_at[1:], strict=False)]
    assert gaps[:5] == [4, 8, 16, 32, 60]
    assert set(gaps[5:]) == {60}


def test_a_url_that_may_not_be_asked_is_a_usage_error() -> None:
    """Nobody waits for it."""
    config = replace(Config(), terminal=TerminalConfig(url="http://10.0.0.1:1"))
    with pytest.raises(UsageError, match="is not this machine"):
        wait_for_terminal(config, tell=lambda _: None, golden=True)
