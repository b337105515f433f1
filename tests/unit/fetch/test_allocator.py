"""The allocator may be tuned anywhere; where it cannot be, nothing happens."""

import platform

import pytest

from thetabulk.fetch.allocator import tune_allocator


def test_it_can_be_asked_twice_and_tells_whether_it_was_done() -> None:
    """True on glibc only."""
    glibc = platform.libc_ver()[0] == "glibc"
    assert [tune_allocator(), tune_allocator()] == [glibc, glibc]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS, Windows, musl."""
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert tune_allocator() is False
