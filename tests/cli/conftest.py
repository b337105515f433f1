"""Every command of these tests looks for config and state in a folder of the test."""

from pathlib import Path

import pytest

from thetabulk import config, state


@pytest.fixture(autouse=True)
def no_files_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the user's settings nor the stores that this machine remembers change a test, or are changed by it."""
    monkeypatch.setattr(config, "user_file", lambda: tmp_path / "config" / "config.toml")
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path / "state")
    monkeypatch.setenv("THETABULK_STORE_RESERVE_BYTES", "0")  # 64 MB, written and synced for every store
