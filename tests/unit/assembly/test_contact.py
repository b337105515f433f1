"""First words with the Terminal."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from tests.virtual_time import in_virtual_time, now
from thetabulk.assembly.contact import check_symbols, held_tier, meet
from thetabulk.config import TerminalConfig
from thetabulk.errors import AccountError, BadAnswer, TerminalUnavailable, TransferFailed, UsageError
from thetabulk.fetch.client import Answer, Client
from thetabulk.model import Request, Tier

URL = "http://127.0.0.1:25503"
NOBODY = TransferFailed("unreachable: refused", kind="unreachable")
CONNECTED = (200, "CONNECTED\n")
Told = tuple[int, str] | Exception | None


class Terminal:
    """Says what `words` gives for the second in which it is asked; None: it takes the question and never answers."""

    def __init__(self, words: Callable[[float], Told]) -> None:
        self._words = words
        self.asked_at: list[float] = []
        self.paths: list[str] = []

    async def small(self, request: Request, *, timeout_s: float) -> Answer:
        self.asked_at.append(now())
        self.paths.append(request.path)
        told = self._words(now())
        if told is None:
            await asyncio.sleep(timeout_s)
            told = TransferFailed("stalled: no answer", kind="stalled")
        if isinstance(told, Exception):
            raise told
        return Answer(told[0], told[1].encode(), {}, 0.0)


async def meet_it(terminal: Terminal, **settings: object) -> None:
    config = TerminalConfig(**settings)  # type: ignore[arg-type]
    await meet(cast(Client, terminal), URL, config, monotonic=now)


def always(told: Told) -> Terminal:
    return Terminal(lambda second: told)


@pytest.mark.parametrize("told", [CONNECTED, (200, "CONNECTED"), (429, "busy")], ids=str)
@in_virtual_time
async def test_a_terminal_that_is_connected_is_met_at_once(told: Told) -> None:
    """One question. A 429 is life: data requests wait for their turn."""
    terminal = always(told)
    await meet_it(terminal)
    assert (now(), terminal.paths) == (0.0, ["/v3/terminal/mdds/status"])


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (NOBODY, "no Theta Terminal answers at http://127.0.0.1:25503"),
        (TransferFailed("dropped: reset", kind="dropped"), "is no Theta Terminal, or it is stuck"),
        (None, "is no Theta Terminal, or it is stuck"),
        (BadAnswer("too large", kind="oversize"), "is no Theta Terminal, or it is stuck"),
        ((200, "<html>welcome to my printer</html>"), "something else answers"),
        ((404, "not found"), "something else answers"),
        ((200, "DISCONNECTED"), "is DISCONNECTED"),
        ((200, "ERROR"), "is ERROR"),
    ],
    ids=str,
)
@in_virtual_time
async def test_what_is_no_connected_terminal_ends_the_run_within_ten_seconds(told: Told, words: str) -> None:
    """Exit 8, with the address and what to do; also if something takes the question and never answers."""
    with pytest.raises(TerminalUnavailable, match=words) as caught:
        await meet_it(always(told))
    assert caught.value.exit_code == 8
    assert 9.0 <= now() <= 10.0


@in_virtual_time
async def test_an_absent_terminal_can_be_done_without() -> None:
    """The hint says how."""
    with pytest.raises(TerminalUnavailable) as caught:
        await meet_it(always(NOBODY))
    assert "--simulate" in caught.value.hint


@in_virtual_time
async def test_a_terminal_that_comes_up_meanwhile_is_waited_for() -> None:
    """Absent, starting, connected."""
    stages: dict[int, Told] = {0: NOBODY, 2: (200, "DISCONNECTED"), 4: CONNECTED}
    await meet_it(Terminal(lambda second: stages[max(stage for stage in stages if stage <= second)]))
    assert now() == 4.0


@in_virtual_time
async def test_with_wait_there_is_no_end_to_it() -> None:
    """Seven hours."""
    await meet_it(Terminal(lambda second: CONNECTED if second > 7 * 3600 else NOBODY), wait=True)
    assert now() > 7 * 3600


@pytest.mark.parametrize("told", [(200, "UNVERIFIED"), (478, "Invalid session ID")], ids=str)
@pytest.mark.parametrize("wait", [False, True])
@in_virtual_time
async def test_an_account_without_a_session_is_not_waited_for(told: Told, wait: bool) -> None:
    """Exit 7: another login has it, and waiting does not bring it back."""
    with pytest.raises(AccountError) as caught:
        await meet_it(always(told), wait=wait)
    assert (now(), caught.value.exit_code) == (0.0, 7)
    assert "one session" in caught.value.hint


def test_the_tier_is_what_was_said_or_assumed() -> None:
    """For options; STANDARD if nobody has said."""
    for text, tier, assumed in (
        ("", Tier.STANDARD, True),
        ("pro", Tier.PRO, False),
        ("option=value,stock=free", Tier.VALUE, False),
        ("stock=free", Tier.STANDARD, True),
    ):
        held = held_tier(TerminalConfig(tier=text))
        assert (held.tier, held.assumed) == (tier, assumed)


# Symbols

SYMBOLS = (200, 'symbol\n"QQQ"\n"SPY"\n"SPXW"\n"QQQM"\n')


async def check(terminal: Terminal, *symbols: str) -> str:
    return await check_symbols(cast(Client, terminal), symbols)


@in_virtual_time
async def test_known_symbols_are_no_news() -> None:
    """Quoted or not; one question for all of them."""
    for told in (SYMBOLS, (200, "symbol\r\nQQQ\r\nSPY\r\n")):
        terminal = always(told)
        assert await check(terminal, "QQQ", "SPY") == ""
        assert len(terminal.paths) == 1


@in_virtual_time
async def test_an_unknown_symbol_is_told_with_the_nearest_names() -> None:
    """Exit 2."""
    with pytest.raises(UsageError, match="QQX") as caught:
        await check(always(SYMBOLS), "SPY", "QQX")
    assert caught.value.exit_code == 2
    assert "QQQ" in caught.value.hint


@in_virtual_time
async def test_an_unknown_symbol_like_no_other_is_told_too() -> None:
    """Without names."""
    with pytest.raises(UsageError) as caught:
        await check(always(SYMBOLS), "ZZZZ9")
    assert "did you mean" not in caught.value.hint


@pytest.mark.parametrize(
    "told", [NOBODY, None, BadAnswer("?", kind="oversize"), (403, "no"), (200, "symbol\n"), (200, "<html>"), (200, "")],
    ids=str,
)  # fmt: skip
@in_virtual_time
async def test_a_list_that_cannot_be_had_stops_nothing(told: Told) -> None:
    """It is said, and the run goes on."""
    assert "could not be had" in await check(always(told), "QQQ")
