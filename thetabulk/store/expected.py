"""What should have come: the vendor's list of contracts, cut to a collection's selection, against what did."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from thetabulk.model import Collection, Contract, Right
from thetabulk.wording import counted

_NAMED = 5  # so many contracts are named in a remark


class Expected:
    """The contracts of a day that a collection should have."""

    def __init__(self, collection: Collection, day: date, listed: Iterable[Contract]) -> None:
        selected = collection.selected
        right = Right(selected.get("right", Right.BOTH))
        max_dte = int(selected["max_dte"]) if "max_dte" in selected else None
        self._strike_range = int(selected["strike_range"]) if "strike_range" in selected else None
        self._listed = frozenset(
            contract
            for contract in listed
            if right in (Right.BOTH, contract.right)
            and (max_dte is None or (contract.expiration - day).days <= max_dte)
        )

    @property
    def count(self) -> int:
        return len(self._listed)

    def unlisted(self, received: Iterable[Contract]) -> list[Contract]:
        return sorted((contract for contract in received if contract not in self._listed), key=_by_name)

    def absent(self, received: Iterable[Contract]) -> list[Contract]:
        """Listed, but not received. With a strike range: what is missing inside each expiration's window of strikes."""
        missing = self._listed.difference(received)
        if self._strike_range is not None:
            missing &= self._windows(frozenset(received), self._strike_range)
        return sorted(missing, key=_by_name)

    def _windows(self, received: frozenset[Contract], strike_range: int) -> frozenset[Contract]:
        """We do not know the money the vendor centred on; we know that a window is contiguous in the listed strikes
        and 2n + 1 strikes wide, or ends where they end. An expiration without any contract has its middle window."""
        strikes: dict[date, set[int]] = defaultdict(set)
        for contract in self._listed:
            strikes[contract.expiration].add(contract.strike_mills)
        got: dict[date, set[int]] = defaultdict(set)
        for contract in received & self._listed:
            got[contract.expiration].add(contract.strike_mills)
        wanted: dict[date, set[int]] = {}
        for expiration, every in strikes.items():
            ladder = sorted(every)
            here = [index for index, strike in enumerate(ladder) if strike in got[expiration]]
            low, high = (here[0], here[-1]) if here else (len(ladder) // 2, len(ladder) // 2)
            short = 2 * strike_range - (high - low)  # 2n + 1 strikes; 2n where no strike is at the money
            if short > 1 and low > 0 and high < len(ladder) - 1:
                low, high = max(0, low - short // 2), min(len(ladder) - 1, high + short - short // 2)
            wanted[expiration] = set(ladder[low : high + 1])
        return frozenset(contract for contract in self._listed if contract.strike_mills in wanted[contract.expiration])


def _by_name(contract: Contract) -> tuple[date, int, str]:
    return contract.expiration, contract.strike_mills, contract.right


def named(contracts: Iterable[Contract]) -> str:
    every = list(contracts)
    names = [f"{c.expiration} {c.strike_mills / 1000:g} {c.right.upper()}" for c in every[:_NAMED]]
    return ", ".join(names) + (f" and {len(every) - _NAMED} more" if len(every) > _NAMED else "")


def unlisted_text(unlisted: list[Contract]) -> str:
    are = counted(len(unlisted), "contract", "is", "are")
    return f"{are} not in the vendor's list: {named(unlisted)}"


def absent_text(absent: list[Contract], expected: Expected, *, sparse: bool) -> str:
    text = f"{len(absent)} of {expected.count} listed contracts are absent: {named(absent)}"
    return f"{text}; the vendor sends no row where the exchange sent none" if sparse else text
