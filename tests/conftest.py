"""What every test relies on: no settings from outside, signals that are heard, and aioresponses that works with today's
aiohttp."""

import inspect
import os
import signal
from functools import partial
from unittest.mock import Mock

import aioresponses.core
import pytest
from aiohttp import ClientResponse

if "stream_writer" in inspect.signature(ClientResponse.__init__).parameters:
    # aiohttp 3.14 asks for the writer of the request; aioresponses 0.7.9 does not know that, and has none.
    with_writer = partial(ClientResponse, stream_writer=Mock(output_size=0))
    aioresponses.core.ClientResponse = with_writer  # type: ignore[attr-defined,assignment]

# Who starts the tests in the background of a shell, or by nohup, has these ignored, and so would be every process that
# the tests start; that thetabulk leaves an ignored signal ignored has tests of its own.
for _name, _heard in (("SIGINT", signal.default_int_handler), ("SIGTERM", signal.SIG_DFL), ("SIGHUP", signal.SIG_DFL)):
    if hasattr(signal, _name) and signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), _heard)


@pytest.fixture(autouse=True)
def no_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's THETABULK_* variables change no test."""
    for name in os.environ:
        if name.startswith("THETABULK_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_state_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Which stores were seen, and settings files: each test has its own, and leaves the user's alone."""
    for name in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path_factory.mktemp(name.lower())))
