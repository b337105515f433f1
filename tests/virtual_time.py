"""An event loop whose time passes only while everybody waits: hours take milliseconds, and no test sleeps."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")


class Stuck(AssertionError):
    """Everybody waits for somebody else, for ever."""


class _Selector(selectors.SelectSelector):
    """Nothing comes from outside: waiting is only letting the clock go on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout is None:
            raise Stuck("nobody can go on, and no timer is set")
        self.now += max(timeout or 0.0, 0.0)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Work for threads is done at once, in the loop's own thread."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def run_in_executor(  # type: ignore[override]  # less exactly typed
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - as an executor hands it on
            done.set_exception(error)
        return done


def run_virtually(main: Coroutine[Any, Any, Any]) -> Any:
    """What `main` returns; Stuck instead of a test that hangs."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in a loop of its own that never waits for real."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_virtually(test(*args, **kwargs))

    return run


def now() -> float:
    """The running loop's seconds: the `monotonic` of whoever is under test."""
    return asyncio.get_running_loop().time()
