"""What this vendor is known to do beyond what is documented, as far as it changes what a day may lack."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_MORE, _AND = 1.5, 0.01


@dataclass(frozen=True, slots=True)
class Habits:
    """From the vendor profile; the defaults are those of a vendor of whom nothing was learned.

    `grids` are further grids that a whole day may have: first row (counted from 09:30) and rows -> the times.
    `unquoted` is the share of the listed contracts that have no quotes, `unlisted` that of the quoted ones that the
    list does not have, both as they were seen. `final_newline` says whether the last row usually has a line end.
    """

    grids: Mapping[tuple[int, int], str] = field(default_factory=dict)
    unquoted: float = 0.0
    unlisted: float = 0.0
    final_newline: bool = True

    def may_lack(self, absent: int, listed: int) -> bool:
        """Whether so many absent contracts are no more than usual. A probe sees few days: half as many again, and one
        in a hundred, are usual too; half a chain never is."""
        return self.unquoted > 0 and absent <= min(0.5, self.unquoted * _MORE + _AND) * listed

    def may_add(self, unlisted: int, quoted: int) -> bool:
        """The same for contracts that are not in the list."""
        return self.unlisted > 0 and unlisted <= min(0.5, self.unlisted * _MORE + _AND) * quoted


NOTHING_LEARNED = Habits()
