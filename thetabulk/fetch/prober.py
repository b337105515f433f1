"""Small questions about a day: are there rows for it? Never a whole chain-day (design §2, boundaries)."""

from collections.abc import Callable
from datetime import date
from typing import Literal

from thetabulk.errors import ShardError
from thetabulk.fetch.client import Answer, Client
from thetabulk.fetch.verdict import Verdict, judge
from thetabulk.model import Request

Finding = Literal["served", "empty", "refused", "unknown"]
_TIMEOUT_S = 120.0


class Prober:
    """Asks about days of one collection. The dataset's own endpoint is asked for one expiration, because a list may be
    served where data are not; if that expiration has no rows, the list of contracts has the last word."""

    def __init__(
        self,
        client: Client,
        *,
        expirations: Request,
        one_expiration: Callable[[date, date], Request],
        contracts: Callable[[date], Request],
    ) -> None:
        self._client = client
        self._expirations_request = expirations
        self._one_expiration = one_expiration
        self._contracts = contracts
        self._expirations: list[date] | None = None

    async def probe(self, day: date) -> Finding:
        """served, empty, refused, or unknown if the Terminal gave no clear answer."""
        expiration = await self._expiration_for(day)
        if expiration is not None:
            finding = await self._ask(self._one_expiration(day, expiration))
            if finding != "empty":
                return finding
        return await self._ask(self._contracts(day))

    async def answer_about(self, day: date) -> Verdict:
        """What one small request for the day's data meets; WAIT if it finds nobody, or no answer."""
        expiration = await self._expiration_for(day)
        request = self._contracts(day) if expiration is None else self._one_expiration(day, expiration)
        answer = await self._answer(request)
        return Verdict.WAIT if answer is None else judge(answer.status, answer.text, answer.means)

    async def _expiration_for(self, day: date) -> date | None:
        """The first expiration on or after the day: listed for weeks by then."""
        if self._expirations is None:
            answer = await self._answer(self._expirations_request)
            if answer is None or answer.status != 200:
                return None
            self._expirations = sorted(_dates(answer.text))
        return next((expiration for expiration in self._expirations if expiration >= day), None)

    async def _ask(self, request: Request) -> Finding:
        answer = await self._answer(request)
        if answer is None:
            return "unknown"
        verdict = judge(answer.status, answer.text, answer.means)
        if verdict is Verdict.SAVE:
            rows = [line for line in answer.text.splitlines()[1:] if line.strip()]
            return "served" if rows and answer.text.startswith(("symbol", '"symbol"')) else "unknown"
        return {Verdict.EMPTY: "empty", Verdict.REFUSE: "refused"}.get(verdict, "unknown")  # type: ignore[return-value]

    async def _answer(self, request: Request) -> Answer | None:
        try:
            return await self._client.small(request, timeout_s=_TIMEOUT_S)
        except ShardError:
            return None


def _dates(text: str) -> set[date]:
    """The last column of a `symbol,expiration` list; lines that are none are passed over."""
    found = set()
    for line in text.splitlines()[1:]:
        try:
            found.add(date.fromisoformat(line.rpartition(",")[2].strip().strip('"')))
        except ValueError:
            continue
    return found
