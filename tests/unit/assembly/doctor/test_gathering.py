"""Facts are gathered side by side; none keeps the others waiting."""

import threading
import time
from typing import NoReturn

import pytest

from thetabulk.assembly.doctor.gathering import Untold, gather


def test_answers_come_under_their_names() -> None:
    """In the order of the questions."""
    assert gather({"a": lambda: 1, "b": lambda: None}, limit_s=5, now=time.monotonic) == {"a": 1, "b": None}


def test_what_takes_too_long_is_untold() -> None:
    """A drive that hangs; the others are answered, and nobody waits for its thread."""
    forever = threading.Event()
    began = time.monotonic()
    found = gather({"drive": forever.wait, "java": lambda: 21}, limit_s=0.1, now=time.monotonic)
    assert found == {"drive": Untold("no answer within 0.1 s"), "java": 21}
    assert time.monotonic() - began < 2
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "doctor: drive")
    forever.set()


def test_questions_are_asked_at_the_same_time() -> None:
    """Each waits for the other to begin: one after the other, both would hang."""
    both = threading.Barrier(2)
    found = gather({"a": both.wait, "b": both.wait}, limit_s=5, now=time.monotonic)
    assert sorted(found.values()) == [0, 1]


def test_what_the_system_refuses_is_untold() -> None:
    """With its reason."""

    def refused() -> NoReturn:
        raise PermissionError(13, "Permission denied")

    assert gather({"a": refused}, limit_s=5, now=time.monotonic) == {"a": Untold("Permission denied")}


def test_a_mistake_of_ours_is_not_hidden() -> None:
    """It is raised where it is told as one."""

    def mistake() -> NoReturn:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gather({"a": mistake}, limit_s=5, now=time.monotonic)
