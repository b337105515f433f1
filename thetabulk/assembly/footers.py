"""What a Parquet file says about itself, against what is said of it elsewhere."""

from typing import TYPE_CHECKING

from thetabulk.model import Saved, Shard

if TYPE_CHECKING:
    from thetabulk.store.footer import Footer  # numpy; a start that finds all in order does without


def wrong_place(footer: "Footer", shard: Shard) -> str:
    """What is wrong if the file belongs to another Shard than its path says, else ""."""
    collection = shard.collection
    there = (footer.dataset, footer.selection, footer.symbol, footer.day)
    if there == (collection.dataset, collection.selection, collection.symbol, shard.day.isoformat()):
        return ""
    folder = f"{footer.dataset}~{footer.selection}" if footer.selection else footer.dataset
    return f"its footer says that it is {footer.symbol} {folder} {footer.day}"


def contradiction(footer: "Footer", saved: Saved) -> str:
    """Where a footer and what is recorded (or was just read) of the same day differ, else ""."""
    for name in ("rows", "contracts", "vendor_bytes", "vendor_xxh3", "content"):
        found, known = getattr(footer, name), getattr(saved, name)
        if found != known:
            return f"its footer says {name} {found}, not {known}"
    return ""
