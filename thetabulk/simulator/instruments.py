"""What is listed: the symbols, roughly where their prices were, and the exchange's rules for each.

Prices are rounded New Year levels of 2012 … 2029 (the last ones invented), enough for strikes and premiums of a
plausible size; nobody should read history out of them. All arithmetic is in `unit_cents`, the smallest step of an
instrument's option prices.
"""

from dataclasses import dataclass

from thetabulk.simulator.calendar import FIRST_YEAR


@dataclass(frozen=True, slots=True)
class Instrument:
    """An option root.

    `levels` are dollars at the beginning of each year from 2012. `yearly_bp` is the volatility that options are priced
    with, in basis points; `tick_low` and `tick_high` are price steps in units below and from $3.00 on (penny-pilot
    names have one step for both). `listing` names the rows of `expirations.RULES`; `late` says that it trades to 16:15.
    """

    symbol: str
    levels: tuple[int, ...]
    yearly_bp: int
    listing: str
    fine_mills: int
    coarse_mills: int
    unit_cents: int = 1
    tick_low: int = 1
    tick_high: int = 5
    late: bool = False
    moves_with: str = ""

    @property
    def mover(self) -> str:
        """Whose random walk it shares: SPXW and XSP move with SPX."""
        return self.moves_with or self.symbol

    def trend(self, ordinal: int) -> int:
        """The level of a day in units, on straight lines between New Years."""
        years, day = divmod(max(ordinal - _EPOCH, 0) * 400, _YEAR_400)
        here = self.levels[min(years, len(self.levels) - 1)]
        there = self.levels[min(years + 1, len(self.levels) - 1)]
        return (here * _YEAR_400 + (there - here) * day) * 100 // (_YEAR_400 * self.unit_cents)

    @property
    def highest(self) -> int:
        """More than the underlying will ever be worth, in units."""
        return max(self.levels) * 135 // self.unit_cents


_EPOCH = 734_503  # date(2012, 1, 1).toordinal()
_YEAR_400 = 146_097  # days in 400 years: 365.2425 days a year without a fraction
assert FIRST_YEAR == 2012


def _etf(symbol: str, levels: tuple[int, ...], yearly_bp: int, fine: int = 1_000, coarse: int = 5_000) -> Instrument:
    return Instrument(symbol, levels, yearly_bp, "etf", fine, coarse, tick_high=1, late=True)


def _stock(symbol: str, levels: tuple[int, ...], yearly_bp: int, fine: int = 2_500, coarse: int = 10_000) -> Instrument:
    return Instrument(symbol, levels, yearly_bp, "stock", fine, coarse)


def _index(symbol: str, levels: tuple[int, ...], yearly_bp: int, listing: str, fine: int, moves: str) -> Instrument:
    return Instrument(
        symbol, levels, yearly_bp, listing, fine, 5 * fine, unit_cents=5, tick_high=2, late=True, moves_with=moves
    )


_QQQ = (58, 66, 88, 104, 109, 120, 158, 156, 214, 311, 396, 264, 405, 512, 615, 650, 690, 730)
_SPY = (127, 145, 184, 205, 201, 224, 268, 250, 324, 373, 476, 382, 472, 586, 682, 710, 745, 780)
_IWM = (75, 86, 115, 119, 112, 135, 153, 134, 166, 196, 222, 175, 198, 222, 248, 255, 262, 270)
_DIA = (123, 133, 165, 178, 173, 198, 248, 233, 286, 306, 363, 331, 377, 426, 481, 500, 520, 540)
_SPX = tuple(10 * level for level in _SPY)
_RUT = tuple(10 * level for level in _IWM)
_VIX = (23, 18, 14, 19, 18, 14, 11, 25, 14, 23, 17, 22, 13, 17, 15, 17, 17, 18)
_AAPL = (58, 76, 80, 110, 105, 116, 169, 158, 300, 133, 177, 130, 185, 250, 272, 280, 290, 300)
_MSFT = (26, 27, 37, 46, 55, 62, 86, 101, 158, 222, 336, 240, 376, 421, 484, 500, 520, 540)
_NVDA = (14, 12, 16, 20, 33, 107, 193, 133, 235, 131, 294, 146, 495, 138, 187, 195, 200, 210)
_TSLA = (28, 35, 150, 222, 240, 214, 311, 333, 418, 706, 352, 123, 248, 404, 450, 460, 470, 480)
_BRK = (76, 90, 118, 150, 132, 163, 198, 204, 226, 232, 299, 309, 357, 453, 502, 520, 540, 560)

INSTRUMENTS = {
    instrument.symbol: instrument
    for instrument in (
        _etf("QQQ", _QQQ, 2_100),
        _etf("SPY", _SPY, 1_700),
        _etf("IWM", _IWM, 2_300),
        _etf("DIA", _DIA, 1_600),
        _etf("GLD", (152, 162, 116, 114, 101, 110, 124, 121, 143, 178, 171, 170, 191, 242, 396, 400, 410, 420), 1_600),
        _etf("TLT", (121, 121, 102, 126, 121, 119, 127, 122, 135, 158, 148, 100, 99, 87, 87, 88, 90, 92), 1_500),
        _etf("XLF", (13, 16, 22, 25, 24, 23, 28, 24, 31, 29, 39, 34, 38, 48, 55, 56, 58, 60), 2_000, 500, 1_000),
        _etf("EEM", (38, 44, 42, 39, 32, 35, 47, 39, 45, 52, 49, 38, 40, 42, 55, 56, 58, 60), 2_100, 500, 1_000),
        _stock("AAPL", _AAPL, 2_800),
        _stock("MSFT", _MSFT, 2_500),
        _stock("NVDA", _NVDA, 4_500),
        _stock("TSLA", _TSLA, 5_500, 5_000, 10_000),
        _stock("AMZN", tuple(level * 2 // 5 for level in _QQQ), 3_200),
        _stock("META", (38, 27, 55, 78, 105, 115, 176, 131, 205, 273, 336, 120, 354, 586, 660, 680, 700, 720), 3_500),
        _stock("GOOGL", tuple(level * 3 // 8 for level in _QQQ), 2_700),
        _stock("JPM", (33, 44, 58, 63, 66, 86, 107, 98, 139, 127, 158, 134, 170, 240, 322, 330, 340, 350), 2_300),
        _stock("BRK.B", _BRK, 1_900, 5_000, 10_000),
        _index("SPX", _SPX, 1_650, "index-monthly", 10_000, "SPX"),
        _index("SPXW", _SPX, 1_650, "index-weekly", 5_000, "SPX"),
        _index("XSP", _SPY, 1_650, "index-weekly", 1_000, "SPX"),
        _index("RUT", _RUT, 2_250, "index-monthly", 10_000, "RUT"),
        _index("RUTW", _RUT, 2_250, "index-weekly", 5_000, "RUT"),
        Instrument("VIX", _VIX, 9_500, "vix", 500, 5_000, late=True),
    )
}

LISTED_ONLY = ("1CORZ", "AABA", "AAPL7", "ÓPX")
"""Symbols that `list/symbols` names and that never have data: the real list is full of them (OpenAPI: sample)."""


def all_symbols() -> tuple[str, ...]:
    return tuple(sorted((*INSTRUMENTS, *LISTED_ONLY)))
