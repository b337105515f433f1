"""Who hears of incidents outside of the screen: a webhook, and a program.

Nothing here can hold up or end the run: every message has a time-out, waits in a short queue of its own, and what goes
wrong is a notice.
"""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from thetabulk import config as settings
from thetabulk.config import IncidentConfig
from thetabulk.events import Emit, Notice
from thetabulk.fetch.webhook import post
from thetabulk.redaction import without_accounts
from thetabulk.terminal.command import without_key

Document = Mapping[str, object]
_WAITING = 20  # messages; of more the oldest are dropped


class Outlets:
    """Sends documents on, in their order, until `close`."""

    def __init__(self, settings: IncidentConfig, emit: Emit) -> None:
        ways = [(settings.webhook, "the webhook", self._post), (settings.command, "the incident command", self._run)]
        self._settings = settings
        self._outlets = [Outlet(name, send, emit) for wanted, name, send in ways if wanted]

    def tell(self, document: Document) -> None:
        """Returns at once. Names of accounts and what looks like a secret are taken out."""
        clean = {name: _redacted(value) for name, value in document.items()}
        for outlet in self._outlets:
            outlet.tell(clean)

    async def close(self) -> None:
        """Waits for what is left, no longer than the time-outs of one message."""
        patience_s = max(self._settings.webhook_timeout_s, self._settings.command_timeout_s)
        await asyncio.gather(*(outlet.close(patience_s) for outlet in self._outlets))

    async def _post(self, document: Document) -> str:
        return await post(self._settings.webhook, document, timeout_s=self._settings.webhook_timeout_s)

    async def _run(self, document: Document) -> str:
        return await run_command(self._settings.command, document, timeout_s=self._settings.command_timeout_s)


class Outlet:
    """One way out: `send` returns "" or why the message was not taken."""

    def __init__(self, name: str, send: Callable[[Document], Awaitable[str]], emit: Emit) -> None:
        self._name = name
        self._send = send
        self._emit = emit
        self._queue: list[Document] = []
        self._sending: asyncio.Task[None] | None = None
        self._failed = False

    def tell(self, document: Document) -> None:
        self._queue = [*self._queue, document][-_WAITING:]
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_all())

    async def close(self, patience_s: float) -> None:
        if self._sending is not None:
            await asyncio.wait((self._sending,), timeout=patience_s)
            self._sending.cancel()
            await asyncio.wait((self._sending,))

    async def _send_all(self) -> None:
        while self._queue:
            problem = await self._send(self._queue.pop(0))
            if problem and not self._failed:  # once, not with every message
                self._emit(Notice(f"{self._name} did not take the message: {problem}", "warning"))
            self._failed = bool(problem)


async def run_command(command: Sequence[str], document: Document, *, timeout_s: float) -> str:
    """Runs a program without a shell, with the document as JSON on its input and its output thrown away; "" or what
    went wrong. It gets our environment without the vendor's API key. After the time-out it is killed, with the
    processes of its group: they are all ours."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True, env=without_key(settings.environment()),
        )  # fmt: skip
    except (OSError, ValueError) as error:
        return f"{command[0]} cannot be run ({getattr(error, 'strerror', None) or type(error).__name__})"
    try:
        async with asyncio.timeout(timeout_s):
            await process.communicate(json.dumps(document).encode() + b"\n")
    except TimeoutError:
        return f"it was killed after {timeout_s:g} s"
    finally:
        await _end(process)
    return f"exit code {process.returncode}" if process.returncode else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that has just ended
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        await process.wait()


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return without_accounts(value)
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _redacted(each) for name, each in value.items()}
    return value
