"""Events for the tests of the report: days of QQQ, short to write and easy to read."""

from datetime import date, timedelta

from thetabulk.events import RunStarted
from thetabulk.model import Asked, Collection, Empty, Failed, Proof, Refused, Saved, Shard

QQQ = Collection("option/quote/1m", "", "QQQ")
NEWEST = date(2024, 8, 2)
ASKED = Asked("/v3/option/history/quote?symbol=QQQ")


def shard(number: int) -> Shard:
    """The n-th day of the walk backwards."""
    return Shard(QQQ, NEWEST - timedelta(days=number))


def saved(number: int, vendor_bytes: int = 40_000_000, proof: Proof = Proof.FULL, *remarks: str) -> Saved:
    """A saved day; its file is a tenth of the vendor's bytes."""
    return Saved(shard(number), ASKED, proof, 1000, 100, vendor_bytes // 10, 0, "00", vendor_bytes, "11", "22", remarks)


def empty(number: int) -> Empty:
    """A day without data."""
    return Empty(shard(number), ASKED)


def refused(number: int) -> Refused:
    """A day outside the subscription."""
    return Refused(shard(number), ASKED, "requires a professional subscription")


def failed(number: int) -> Failed:
    """A day that did not come."""
    return Failed(shard(number), ASKED, "stalled", "no byte for 180 s")


def run_started(
    *, wanted: int = 112, done: int = 12, source: str = "terminal", store: str = "/Volumes/T7/options"
) -> RunStarted:
    """The start of `download QQQ` with a standard account that nobody told us about."""
    return RunStarted(
        command="download",
        store=store,
        collections=(QQQ,),
        first=date(2016, 8, 4),
        last=NEWEST,
        wanted=wanted,
        done=done,
        todo=wanted - done,
        chunk_size=50,
        tier="standard",
        tier_assumed=True,
        account_allows=4,
        workers=(3, 12),
        source=source,
        url="http://127.0.0.1:25503",
        kept_awake=True,
    )


STATUS_ROW: dict[str, object] = {
    "dataset": "option/quote/1m",
    "selection": "",
    "symbol": "QQQ",
    "first": "2016-08-04",
    "last": "2024-08-02",
    "sessions": 2012,
    "saved": 2000,
    "proven": 1990,
    "empty": 9,
    "refused": 0,
    "failed": 1,
    "pending": 2,
    "bytes": 92_123_456_789,
    "boundary": None,
}
