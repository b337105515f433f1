"""The contracts of one answer, numbered in the order in which they came."""

import re
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import xxhash

from thetabulk.errors import BadAnswer
from thetabulk.model import Contract, Right

_MOST_MILLS = 10**9  # fits the nine digits of a decimal column
_STRIKE = re.compile(r" *\+?\d{1,12}(?:\.\d{0,12})? *", re.ASCII)
_RIGHTS = {"CALL": Right.CALL, "PUT": Right.PUT, "C": Right.CALL, "P": Right.PUT}


class Contracts:
    """Each contract once, whatever the way it is printed; `contracts[7]` is the eighth that came."""

    def __init__(self) -> None:
        self.listed: list[Contract] = []
        self._number: dict[Contract, int] = {}
        self._hashes: list[int] = []

    def __len__(self) -> int:
        return len(self.listed)

    def __getitem__(self, number: int) -> Contract:
        return self.listed[number]

    def number(self, contract: Contract) -> int:
        """The contract's number; a new one if it is new."""
        found = self._number.get(contract)
        if found is None:
            found = self._number[contract] = len(self.listed)
            self.listed.append(contract)
            text = f"{contract.expiration}|{contract.strike_mills}|{contract.right}"
            self._hashes.append(xxhash.xxh3_64_intdigest(text.encode()))
        return found

    def hashes(self) -> npt.NDArray[np.uint64]:
        return np.array(self._hashes, dtype=np.uint64)

    def expirations(self) -> npt.NDArray[np.int32]:
        """Days since 1970-01-01, by number."""
        epoch = date(1970, 1, 1).toordinal()
        return np.array([contract.expiration.toordinal() - epoch for contract in self.listed], dtype=np.int32)

    def strikes(self) -> npt.NDArray[np.float64]:
        """Dollars, by number."""
        return np.array([contract.strike_mills for contract in self.listed], dtype=np.float64) / 1000

    def strikes_mills(self) -> npt.NDArray[np.int64]:
        return np.array([contract.strike_mills for contract in self.listed], dtype=np.int64)

    def puts(self) -> npt.NDArray[np.int8]:
        """0 for a call, 1 for a put, by number."""
        return np.array([contract.right is Right.PUT for contract in self.listed], dtype=np.int8)


def parse_contract(fields: list[str]) -> Contract:
    """Expiration, strike and right as the vendor prints them. Raises BadAnswer naming the field that is none."""
    expiration, strike, right = fields
    try:
        if not _STRIKE.fullmatch(strike):  # `Decimal` takes tabs, `1_0` and the digits of every script
            raise ValueError(strike)
        mills = Decimal(strike) * 1000
        if not 0 < mills < _MOST_MILLS or mills != int(mills):
            raise ValueError(strike)
        return Contract(date.fromisoformat(expiration), int(mills), _RIGHTS[right.upper()])
    except (ValueError, ArithmeticError, KeyError) as error:
        raise BadAnswer(f"not a contract: {','.join(fields)[:80]!r}", kind="field") from error
