"""A stand-in for the Terminal whose every byte the oracle knows: `body(symbol, day)` is what it serves, here as there.

Smaller, slower on request and duller than the simulator, on purpose: a third party, which neither the client nor the
simulator is made from. Runs in a process of its own (`python -m tests.chaos.vendor`), and keeps a log of requests.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from aiohttp import web
from aiohttp.typedefs import Handler

REPOSITORY = Path(__file__).parents[2]
SYMBOLS = ("QQQ", "SPY")
LAST_DAY = date(2024, 11, 27)  # from 3 September 2024 to here every weekday is a session
LONGEST = 62
_SAYS = {"X-Thetabulk-Simulator": "chaos stand-in"}
_HEADER = (
    "symbol,expiration,strike,right,timestamp,bid_size,bid_exchange,bid,bid_condition,"
    "ask_size,ask_exchange,ask,ask_condition\n"
)


def days(count: int) -> list[date]:
    """The newest sessions, ascending."""
    if count > LONGEST:
        raise ValueError(f"only {LONGEST} sessions are known here")
    weekdays = (LAST_DAY - timedelta(days=back) for back in range(2 * LONGEST))
    return sorted([day for day in weekdays if day.weekday() < 5][:count])


def contracts(day: date, strikes: int = 2) -> list[tuple[str, str, str]]:
    expiration = (day + timedelta(days=7)).isoformat()
    return [(expiration, f"{480 + 5 * number}.000", right) for number in range(strikes) for right in ("CALL", "PUT")]


@lru_cache(maxsize=4 * LONGEST)
def body(symbol: str, day: date, strikes: int = 2) -> bytes:
    """The vendor's CSV of a day: 4 contracts (or of more strikes), every minute from 09:30 to 16:15, no two alike."""
    lines = [_HEADER]
    for expiration, strike, right in contracts(day, strikes):
        state = crc32(f"{symbol} {day} {strike} {right}".encode())
        for minute in range(570, 976):
            state = (state * 1_103_515_245 + 12_345) % 2**31
            cents, size = 100 + (state >> 8) % 900, 1 + (state >> 20) % 90
            lines.append(
                f'"{symbol}","{expiration}",{strike},"{right}",{day}T{minute // 60:02}:{minute % 60:02}:00.000,'
                f"{size},7,{cents / 100:.2f},50,{size + 3},4,{(cents + 5) / 100:.2f},50\n"
            )
    return "".join(lines).encode()


def contract_list(symbol: str, day: date, strikes: int = 2) -> bytes:
    known = contracts(day, strikes)
    rows = "".join(f'"{symbol}","{expiration}",{strike},"{right}"\n' for expiration, strike, right in known)
    return f"symbol,expiration,strike,right\n{rows}".encode()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; `at` is the monotonic clock, which all processes of a machine share."""

    at: float
    path: str
    day: str

    @property
    def for_data(self) -> bool:
        return "/history/" in self.path


class Vendor:
    """A running stand-in."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log
        self._read_bytes = 0
        self._asked: list[Asked] = []

    def asked(self) -> list[Asked]:
        """Every request so far."""
        with self._log.open("rb") as log:
            log.seek(self._read_bytes)
            new = log.read().rpartition(b"\n")[0].splitlines(keepends=True)
        self._read_bytes += sum(map(len, new)) + (1 if new else 0)
        self._asked += [Asked(**json.loads(line)) for line in new]
        return self._asked


@dataclass(frozen=True, slots=True)
class Pace:
    """A day of so many strikes comes in so many pieces, with a pause before each."""

    pieces: int = 1
    pause_ms: float = 0
    strikes: int = 2


AT_ONCE = Pace()


@contextmanager
def running(folder: Path, pace: Pace = AT_ONCE) -> Iterator[Vendor]:
    """A stand-in, as long as it is needed."""
    log = folder / "asked.jsonl"
    command = [
        sys.executable,
        "-m",
        "tests.chaos.vendor",
        f"--pieces={pace.pieces}",
        f"--pause-ms={pace.pause_ms}",
        f"--strikes={pace.strikes}",
        str(log),
    ]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Vendor(process.stdout.readline().strip(), log)
        finally:
            process.kill()


async def _serve(log: Path, pieces: int, pause_s: float, strikes: int) -> None:
    with log.open("a", buffering=1, encoding="utf-8") as asked:

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            fields = {"at": time.monotonic(), "path": request.path, "day": request.query.get("date", "")}
            asked.write(json.dumps(fields) + "\n")
            return await handler(request)

        async def status(_: web.Request) -> web.Response:
            return web.Response(text="CONNECTED", headers=_SAYS)

        async def symbols(_: web.Request) -> web.Response:
            return web.Response(text="\n".join(("symbol", *SYMBOLS, "")), headers=_SAYS)

        async def listed(request: web.Request) -> web.Response:
            return web.Response(body=contract_list(*_wanted(request), strikes), headers=_SAYS)

        async def history(request: web.Request) -> web.StreamResponse:
            whole = body(*_wanted(request), strikes)
            answer = web.StreamResponse(headers={**_SAYS, "Content-Type": "text/csv"})
            await answer.prepare(request)
            with suppress(ConnectionResetError):  # whoever asked has been killed
                for number in range(pieces):
                    await asyncio.sleep(pause_s)
                    await answer.write(whole[len(whole) * number // pieces : len(whole) * (number + 1) // pieces])
                await answer.write_eof()
            return answer

        app = web.Application(middlewares=[note])
        app.router.add_get("/v3/terminal/mdds/status", status)
        app.router.add_get("/v3/option/list/symbols", symbols)
        app.router.add_get("/v3/option/list/contracts/quote", listed)
        app.router.add_get("/v3/option/history/quote", history)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201 - whoever started it reads this
        await asyncio.Event().wait()


def _wanted(request: web.Request) -> tuple[str, date]:
    return request.query["symbol"], date.fromisoformat(request.query["date"])


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--pieces", type=int, default=1)
    parser.add_argument("--pause-ms", type=float, default=0)
    parser.add_argument("--strikes", type=int, default=2)
    chosen = parser.parse_args()
    asyncio.run(_serve(chosen.log, chosen.pieces, chosen.pause_ms / 1000, chosen.strikes))


if __name__ == "__main__":
    _main()
