"""Outcomes to record: plausible ones, and whatever a type allows."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from thetabulk.model import (
    Asked,
    Boundary,
    Collection,
    Empty,
    Failed,
    Job,
    Outcome,
    Proof,
    Refused,
    Saved,
    Shard,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
QQQ = Collection("option/quote/1m", "", "QQQ")
FIRST = date(2016, 1, 4)
REQUEST = "/v3/option/history/quote?symbol=QQQ&expiration=*&strike=*&right=both&date=20240802&interval=1m"
ASKED = Asked(REQUEST, 2, 14.25, "20261101", "standard")


def shard(number: int, collection: Collection = QQQ) -> Shard:
    return Shard(collection, FIRST + timedelta(days=number))


def saved(number: int, *, sha256: str = "", size: int = 20_000_000) -> Saved:
    return Saved(
        shard(number),
        ASKED,
        Proof.FULL,
        rows=3_400_000,
        contracts=8_778,
        bytes=size,
        mtime_ns=1_763_640_000_123_456_789,
        sha256=sha256 or f"{number:064x}",
        vendor_bytes=285_000_000 + number,
        vendor_xxh3=f"{number:032x}",
        content=f"{number * 7:032x}",
        remarks=("crossed: 12 rows",),
    )


def failed(number: int) -> Failed:
    return Failed(shard(number), ASKED, "cut", "the answer ended after 12 MB", "", "", ())


texts = st.text(max_size=30)
numbers = st.integers(0, 2**60)
times = st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
collections = st.builds(Collection, texts, texts, texts)
shards = st.builds(Shard, collections, st.dates())
remarks = st.lists(texts, max_size=3).map(tuple)
asked = st.builds(Asked, texts, numbers, st.floats(0, 1e6), texts, texts)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(
        Saved,
        shards,
        asked,
        st.sampled_from(Proof),
        numbers,
        numbers,
        numbers,
        numbers,
        texts,
        numbers,
        texts,
        texts,
        remarks,
    ),
    st.builds(Empty, shards, asked, numbers, st.none() | times),
    st.builds(Refused, shards, asked, texts),
    st.builds(Failed, shards, asked, texts, texts, texts, texts, remarks),
)
boundaries = st.builds(
    Boundary, collections, st.sampled_from(["vendor", "tier"]), st.none() | st.dates(), remarks, texts
)
jobs = st.builds(Job, texts, st.lists(collections, max_size=3).map(tuple), st.dates(), st.dates())
