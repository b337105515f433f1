"""Every test here keeps what a machine remembers in a folder of its own."""

from pathlib import Path

import pytest

from thetabulk import state


@pytest.fixture(autouse=True)
def a_state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks and known stores of this user are neither seen nor changed."""
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path / "state")
