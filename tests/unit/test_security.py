"""What a config file and an environment from somebody else can do: nothing but set what there is to set."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from thetabulk import config
from thetabulk.errors import UsageError


@pytest.mark.parametrize("text", ["$(touch {here}/x)", "`touch {here}/x`", "${HOME}/x", "%PATH%", "!{here}", "| sh"])
def test_a_setting_is_text_and_never_a_command(text: str, tmp_path: Path) -> None:
    """Neither a shell nor a variable stands behind it, in a file or in the environment."""
    value = text.replace("{here}", str(tmp_path))
    file = tmp_path / "config.toml"
    file.write_text(f"[store]\npath = '{value}'\n", encoding="utf-8")
    assert config.load(file, {"HOME": "/elsewhere"}, {}).config.store.path == value
    assert config.load(None, {"THETABULK_STORE": value, "HOME": "/elsewhere"}, {}).config.store.path == value
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize(
    "text",
    [
        "[terminal]\njava_options = ['-javaagent:evil.jar']\n",
        "[terminal]\njava_args = ['-javaagent:evil.jar']\n",
        "[hooks]\nbefore = 'rm -rf /'\n",
        "include = '/etc/passwd'\n",
        "!!python/object/apply:os.system ['true']\n",
        "[store]\npath = ['a', 'b']\n",
        "[store.path]\npath = 'x'\n",
        "[store]\n__class__ = 'x'\n",
        "[job]\nsymbols = 'QQQ'\nsymbols = 'SPY'\n",
    ],
)
def test_a_config_file_can_name_nothing_to_run(text: str, tmp_path: Path) -> None:
    """What is no setting is told, and nothing of the file counts."""
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        config.load(file, {}, {})
    assert str(file) in caught.value.what


POWERFUL = [
    "[terminal]\njava = '/opt/java'\n",
    "[terminal]\njar = '/opt/ThetaTerminalv3.jar'\n",
    "[terminal]\ncredentials = '/home/me/creds.txt'\n",
    "[terminal]\nurl = 'http://127.0.0.1:25504'\n",
    "[terminal]\nallow_remote = true\n",
    "[incident]\ncommand = ['notify-me']\n",
    "[incident]\nwebhook = 'https://example.com/hook'\n",
]
OTHER_DRIVE = Path("/dev/shm")
needs_another_drive = pytest.mark.skipif(
    not OTHER_DRIVE.is_dir() or config.is_at_home(OTHER_DRIVE), reason="needs a second volume at /dev/shm"
)


@needs_another_drive
@pytest.mark.parametrize("text", POWERFUL)
def test_a_config_file_that_travels_with_a_drive_names_no_program_and_no_host(text: str, tmp_path: Path) -> None:
    """It may come from somebody else. This user's own file, the environment and flags may."""
    with TemporaryDirectory(dir=OTHER_DRIVE) as folder:
        file = Path(folder) / "config.toml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match="is not taken from a config file on another drive"):
            config.load(file, {}, {})
        file.write_text("[fetch]\nattempts = 2\n", encoding="utf-8")
        assert config.load(file, {}, {}).config.fetch.attempts == 2


@pytest.mark.parametrize("text", POWERFUL)
def test_this_users_own_config_file_may_name_them(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are settings like others."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    config.load(file, {}, {})


def test_the_value_of_what_is_no_setting_is_not_told(tmp_path: Path) -> None:
    """Somebody has put a password where he thought it belongs: the name is told, the password is not."""
    file = tmp_path / "config.toml"
    file.write_text("[terminal]\npassword = 'hunter2'\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        config.load(file, {"THETABULK_PASSWORD": "hunter2"}, {})
    assert "terminal.password" in caught.value.what
    assert "THETABULK_PASSWORD" in caught.value.what
    assert "hunter2" not in caught.value.what + caught.value.hint
