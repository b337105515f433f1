"""What is installed by the lock is what pyproject.toml asks for, and every file of it is named by its hash."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", text, maxsplit=1)[0].lower().replace("_", "-") for text in requirements}


def test_every_requirement_is_locked_with_hashes() -> None:
    """A dependency added without `make lock` is found here; so is a line without a hash, or with an address."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    text = (ROOT / "requirements.lock").read_text()
    locked = re.findall(r"^([a-z0-9._-]+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    assert names(wanted) <= {name for name, _ in locked}
    assert len(locked) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert "://" not in text
