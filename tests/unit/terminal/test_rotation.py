"""The Terminal's log, as it is kept."""

from pathlib import Path

from thetabulk.terminal.rotation import RotatingLog, last_lines, redacted


def test_it_is_rotated_by_size_and_so_many_are_kept(tmp_path: Path) -> None:
    """The newest lines in the first file; nothing is lost in between while there is room for it."""
    log = RotatingLog(tmp_path / "25503.log", most_bytes=60, keep=2)
    for number in range(20):
        log.write(f"line {number:02}")
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["25503.log", "25503.log.1", "25503.log.2"]
    kept = [line for name in reversed(names) for line in (tmp_path / name).read_text().splitlines()]
    assert kept == [f"line {number:02}" for number in range(20 - len(kept), 20)]
    assert all((tmp_path / name).stat().st_mode & 0o077 == 0 for name in names)


def test_it_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    """A restart appends."""
    for text in ("first life", "second life"):
        log = RotatingLog(tmp_path / "x.log", most_bytes=1_000, keep=1)
        log.write(text)
        log.close()
    assert (tmp_path / "x.log").read_text() == "first life\nsecond life\n"


def test_what_cannot_be_written_is_counted_and_told_later(tmp_path: Path) -> None:
    """The Terminal must not stand still because of its log."""
    (tmp_path / "x.log").mkdir()
    log = RotatingLog(tmp_path / "x.log", most_bytes=1_000, keep=1)
    log.write("lost")
    log.write("lost too")
    assert log.lost == 2
    (tmp_path / "x.log").rmdir()
    log.write("kept")
    log.write("as ever")
    log.close()
    assert (tmp_path / "x.log").read_text() == "(thetabulk: 2 lines could not be written)\nkept\nas ever\n"


def test_what_would_steer_a_screen_is_taken_out_of_a_line() -> None:
    """Escape sequences, carriage returns, text that runs backwards: `terminal logs` shows letters. A secret does not
    get past by them."""
    assert redacted("\x1b[2Jgone\rfar \u202egnorw \x9b31m café\ttab") == " [2Jgone far  gnorw  31m café tab"
    assert "canary" not in redacted("password=\x1bcanary")


def test_the_last_lines_come_from_two_files_if_need_be(tmp_path: Path) -> None:
    """Right after a rotation the newest file has only a few."""
    log = RotatingLog(tmp_path / "x.log", most_bytes=60, keep=2)
    for number in range(9):
        log.write(f"line {number:02}")
    log.close()
    assert last_lines(tmp_path / "x.log", 5) == [f"line {number:02}" for number in range(4, 9)]
    assert last_lines(tmp_path / "x.log", 1) == ["line 08"]
    assert last_lines(tmp_path / "none.log", 5) == []


def test_secrets_are_taken_out_of_a_line() -> None:
    """Address, password, key, token, session: their names stay."""
    line = "login me@canary.example password=canary key td1_canary Session ID: canary-canary token: canary"
    told = redacted(line)
    assert "canary" not in told
    assert "password=" in told
    assert redacted("Starting server at: http://0.0.0.0:25503/") == "Starting server at: http://0.0.0.0:25503/"
    assert redacted("Invalid session ID. This can occur if more than one terminal is running") == (
        "Invalid session ID. This can occur if more than one terminal is running"
    )
