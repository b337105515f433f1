"""Facts, gathered side by side and within a time: a drive that does not answer shall keep nobody waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class Untold:
    """A fact that could not be had, and why: it took too long, or the system refused."""

    reason: str


def gather(questions: Mapping[str, Callable[[], Any]], *, limit_s: float, now: Callable[[], float]) -> dict[str, Any]:
    """The answers by name; Untold where a question ran out of time or met an OSError. What else is raised is raised.

    `now` is a monotonic clock. A thread that hangs is left behind: it ends with the process, and says nothing more.
    """
    answers: dict[str, Any] = {}
    mistakes: list[BaseException] = []

    def answer(name: str, question: Callable[[], Any]) -> None:
        try:
            answers[name] = question()
        except OSError as error:
            answers[name] = Untold(error.strerror or type(error).__name__)
        except BaseException as error:  # noqa: BLE001 - raised again below, where somebody listens
            mistakes.append(error)

    threads = [
        Thread(target=answer, args=(name, question), name=f"doctor: {name}", daemon=True)
        for name, question in questions.items()
    ]
    until = now() + limit_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - now()))
    if mistakes:
        raise mistakes[0]
    late = Untold(f"no answer within {limit_s:g} s")
    return {name: answers.get(name, late) for name in questions}
