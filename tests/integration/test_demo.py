"""The demo, as the README types it: everything in processes of its own, and nothing but the folder that is named."""

from pathlib import Path

from tests.integration import stores
from tests.integration.commands import process


def test_the_demo_downloads_says_what_there_is_and_verifies_it(tmp_path: Path) -> None:
    """`download --simulate`, `status`, `verify`: exit code 0 each, SIMULATED in plain sight, no day unproven."""
    home, where = tmp_path / "home", ("--store", tmp_path / "demo")
    span = ("--from", "2024-07-29", "--to", "2024-07-31")
    with process("download", "QQQ", "--simulate", *span, *where, home=home) as run:
        ended = run.ended()
    assert (ended.code, ended.out) == (0, b"")
    assert "SIMULATED" in ended.err
    assert "3 of 3, all" in ended.err
    assert "\x1b" not in ended.err, "control codes are for terminals"
    with process("status", *where, home=home) as run:
        ended = run.ended()
    assert (ended.code, ended.err) == (0, "")
    assert b"QQQ        3      3       3" in ended.out
    with process("verify", home=home) as run:  # the store used last
        ended = run.ended()
    assert ended.code == 0
    assert f"the store is {tmp_path / 'demo'}, the one used last" in ended.err
    stores.assert_consistent(tmp_path / "demo")
    assert {path.name for path in tmp_path.iterdir()} == {"demo", "home"}
