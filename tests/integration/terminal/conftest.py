"""A stand-in for each test, and nothing of it afterwards, whatever the test did."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.integration.terminal.fake import FakeHome

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real Java processes take their time: these tests are a target of their own, `make terminal`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.terminal)


def those_of(home: FakeHome) -> list[psutil.Process]:
    """The living processes that run the stand-in of this folder, ours and foreign ones."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and str(home.jar) in process.cmdline():
                found.append(process)
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[FakeHome]:
    """A folder with the stand-in; a test that leaves a process behind has failed."""
    made = FakeHome(tmp_path / "home")
    yield made
    left = those_of(made)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    assert left == []
