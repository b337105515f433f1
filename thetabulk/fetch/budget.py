"""How many retries there may be: a share of the requests that are none. Pure.

Without it every layer of patience multiplies the load on a Terminal that is failing because of load (Google's SRE book,
"Handling Overload": 10 % and three tries; Finagle's default is 20 %). A day whose retry is not granted has failed in
this round, and is asked again in the next.
"""

_RESERVE = 10.0  # to begin with, so that a run of a few days has its attempts too
_REQUESTS = 100  # what is left over by more requests than these is forgotten


class Budget:
    """`share` of the requests may be retried, `outage_share` of those that are sent while there is an outage.

    One for the whole run: patience is shared by all its days.
    """

    def __init__(self, share: float = 0.5, outage_share: float = 0.1) -> None:
        self._share = share
        self._outage_share = outage_share
        self._left = _RESERVE
        self._left_in_outage = 0.0

    def asked(self, *, outage: bool) -> None:
        """A day is asked for, for the first time in this round."""
        if outage:
            self._left_in_outage += self._outage_share
        else:
            self._left_in_outage = 0.0
            self._left = min(self._left + self._share, max(_RESERVE, _REQUESTS * self._share))

    def grant(self, *, outage: bool) -> bool:
        """Whether a request that failed may be made again. A retry that is granted is spent."""
        if outage:
            granted = self._left_in_outage >= 1
            self._left_in_outage -= granted
        else:
            granted = self._left >= 1
            self._left -= granted
        return granted
