"""Short tempers and a home of its own for every test; nothing of this user is read or changed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.commands import SETTINGS
from tests.integration.serving import Served, serving
from thetabulk import config, state


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the user's settings nor the stores that this machine remembers change a test, or are changed by it."""
    monkeypatch.setattr(config, "user_file", lambda: tmp_path / "config" / "config.toml")
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path / "state")
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def simulator() -> Iterator[Callable[..., Served]]:
    """`simulator("--tier", "value")`: a Terminal in a thread of this process, until the end of the test."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(serving(*arguments))
