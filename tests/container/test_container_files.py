"""The Dockerfile and compose.yaml, as far as they can be judged without a daemon. `make container` carries the steps
out in a fresh Debian 13; no daemon has built the image here (docs/container.md says so)."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.container.recipe import stages
from thetabulk import config
from thetabulk.cli.app import COMMANDS

ROOT = Path(__file__).parent.parent.parent
BUILD, IMAGE = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
SERVICE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["thetabulk"]
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")


@pytest.mark.skipif(HADOLINT is None, reason="no hadolint for this platform")
def test_the_linter_has_no_complaints() -> None:
    ran = subprocess.run(
        [str(HADOLINT), "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def last(word: str) -> Any:
    return [one for one in IMAGE if one.word == word][-1]


def test_both_stages_have_one_base_so_that_the_environment_fits() -> None:
    """A venv holds the path and the version of its Python."""
    assert BUILD[0].rest.removesuffix(" AS build") == IMAGE[0].rest
    assert "trixie" in IMAGE[0].rest  # Debian 13: the oldest with a Java >= 21


def test_every_setting_in_it_is_one() -> None:
    known = {setting.variable for setting in config.settings().values()}
    said = {name for one in IMAGE if one.word == "ENV" for name in one.pairs({}) if name.startswith("THETABULK_")}
    assert said
    assert said <= known


def test_nobody_in_it_is_root() -> None:
    assert last("USER").rest == "${UID}:${GID}"
    assert all(one.pairs({})["UID"] != "0" for one in IMAGE if one.word == "ARG" and one.rest.startswith("UID"))


def test_what_it_runs_are_commands_of_ours() -> None:
    assert last("ENTRYPOINT").list[-1] == "thetabulk"
    assert last("CMD").list[0] in COMMANDS
    assert last("CMD").list == SERVICE["command"]
    assert last("HEALTHCHECK").list[:2] == ["thetabulk", "doctor"]
    assert "doctor" in COMMANDS


def test_an_absent_drive_is_an_error_and_no_folder_on_the_internal_disk() -> None:
    """Docker would create the folder above a mount point that is not there, and fill the disk under it."""
    store = next(one for one in SERVICE["volumes"] if one["target"] == "/store")
    assert store["type"] == "bind"
    assert store["bind"] == {"create_host_path": False}


def test_a_stop_has_the_time_that_draining_takes() -> None:
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) >= config.RunConfig().drain_s + 30
    assert last("STOPSIGNAL").rest == "SIGTERM"


def test_no_port_is_published_and_no_login_is_repeated() -> None:
    assert "ports" not in SERVICE
    assert SERVICE["restart"] == "no"


def test_the_credentials_are_a_mounted_secret_and_nothing_else() -> None:
    """No variable, no build argument, no layer holds them."""
    where = next(one.pairs({}) for one in IMAGE if one.word == "ENV")["THETABULK_TERMINAL_CREDENTIALS"]
    assert where == f"/run/secrets/{SERVICE['secrets'][0]}"
    assert "environment" not in SERVICE
    copied = [one.rest for one in (*BUILD, *IMAGE) if one.word in ("COPY", "ADD")]
    assert not [rest for rest in copied if "cred" in rest or "secret" in rest]
