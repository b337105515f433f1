import random
import re
import unicodedata
from datetime import date
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.errors import UsageError
from thetabulk.model import Collection, Shard
from thetabulk.store import layout

DAY = date(2024, 8, 2)
FIRST = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
REST = FIRST + ".^$/_-"
DEVICES = ["CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))]

symbols = st.from_regex(r"[A-Z0-9][A-Z0-9.^$/_-]{0,31}", fullmatch=True)
selections = st.sampled_from(["", "max_dte=45", "max_dte=45,right=call", "strike_range=10"])
datasets = st.sampled_from(["option/quote/1m", "option/open_interest", "option/eod", "stock/ohlc/1h"])
shards = st.builds(Shard, st.builds(Collection, datasets, selections, symbols), st.dates(min_value=date(1990, 1, 1)))


def shard(symbol: str = "QQQ", selection: str = "", dataset: str = "option/quote/1m") -> Shard:
    return Shard(Collection(dataset, selection, symbol), DAY)


def is_legal_everywhere(name: str) -> bool:
    """For one component: NTFS is the strictest of exFAT, NTFS and APFS."""
    return (
        re.fullmatch(r"[!#-)+-.0-9;=@-\[\]-{}~]+", name) is not None
        and not name.endswith((".", " "))
        and not name.startswith((".", "_", " "))
        and name.split(".")[0].upper() not in DEVICES
        and len(name) <= 255
    )


def test_a_day_lies_where_the_documentation_says() -> None:
    """Other programs read this folder; the path is part of the contract."""
    assert layout.data_path(shard(selection="max_dte=45"), "parquet") == PurePosixPath(
        "option/quote/1m~max_dte=45/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet"
    )
    assert str(layout.data_path(shard("BRK.B"), "csv.zst")).endswith("symbol=BRK.B/year=2024/BRK.B-2024-08-02.csv.zst")
    assert str(layout.data_path(shard("BRK/B"), "csv")).endswith("symbol=BRK%2FB/year=2024/BRK%2FB-2024-08-02.csv")


def test_internal_files_lie_below_the_hidden_folder() -> None:
    """Nothing that is not a proven day may be met by a reader of the store."""
    assert str(layout.contracts_path("CON", DAY)) == ".thetabulk/contracts/%43ON/2024/2024-08-02.csv.zst"
    assert str(layout.kept_path(shard(), "parquet")) == (
        ".thetabulk/quarantine/incomplete/option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet"
    )
    damaged = layout.quarantine_path(layout.data_path(shard(), "csv"), "20261120-1")
    assert str(damaged) == (
        ".thetabulk/quarantine/damaged/20261120-1/option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02.csv"
    )
    assert layout.shard_of(damaged) is None


@given(shards, st.sampled_from(layout.FORMATS))
def test_path_and_shard_are_each_others_inverse(one: Shard, file_format: str) -> None:
    """shard_of(data_path(shard)) == shard, for every shard and format."""
    path = layout.data_path(one, file_format)
    assert layout.shard_of(path) == one
    assert layout.format_of(path) == file_format
    assert all(is_legal_everywhere(part) for part in path.parts)


@given(shards, st.text("abcXYZ019_-", min_size=1, max_size=20))
def test_a_scratch_file_is_never_taken_for_data(one: Shard, token: str) -> None:
    """Its name ends in .part and lies in tmp, so no glob for days meets it."""
    path = layout.part_name(one, token)
    assert path.parent == layout.TMP
    assert path.suffix == ".part"
    assert layout.shard_of(path) is None
    assert is_legal_everywhere(path.name)


def test_a_hundred_thousand_names_never_collide_or_escape() -> None:
    """Reversible, legal, and apart even on a file system that folds case and composes accents."""
    dice = random.Random(20261120)
    names = {dice.choice(FIRST) + "".join(dice.choices(REST, k=dice.randrange(32))) for _ in range(100_000)}
    names |= {f"{device}{tail}" for device in DEVICES for tail in ("", ".", ".A", ".TXT", "1", "/A", "-A")}
    seen: dict[str, str] = {}
    for name in names:
        encoded = layout.encode_symbol(name)
        assert layout.decode_symbol(encoded) == name
        assert is_legal_everywhere(encoded)
        folded = unicodedata.normalize("NFC", encoded.casefold())
        assert seen.setdefault(folded, name) == name


@given(st.text(max_size=40))
def test_any_text_is_a_symbol_or_a_usage_error(text: str) -> None:
    """Nothing else, and nothing that was refused has a path."""
    try:
        symbol = layout.check_symbol(text)
    except UsageError:
        with pytest.raises(UsageError):
            layout.data_path(shard(text), "parquet")
    else:
        assert symbol == text.upper()
        assert layout.check_symbol(symbol) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../A",
        "-rf",
        "$SPX",
        "_A",
        "A B",
        "A\n",
        "A\x00",
        "A\\B",
        "SPY\u202e",
        "ＳＰＹ",
        "ß",
        "ﬁ",
        "A" * 33,
    ],
)
def test_a_text_that_is_no_symbol_is_refused(text: str) -> None:
    """Path tricks, look-alikes, and letters whose capital is another symbol."""
    with pytest.raises(UsageError, match="not a symbol") as caught:
        layout.check_symbol(text)
    assert repr(text) in caught.value.what
    assert "A-Z" in caught.value.hint


def test_small_letters_are_accepted_from_a_person_but_have_no_path() -> None:
    """Two spellings of one symbol must not be two shards with one file."""
    assert layout.check_symbol("brk.b") == "BRK.B"
    with pytest.raises(UsageError):
        layout.data_path(shard("qqq"), "parquet")


@pytest.mark.parametrize(
    "one",
    [
        shard(dataset="../../etc"),
        shard(dataset="option//quote"),
        shard(dataset="/option"),
        shard(dataset="option/quote/.."),
        shard(selection="../x"),
        shard(selection="max_dte=45/.."),
    ],
)
def test_a_poisoned_ledger_leads_nowhere(one: Shard) -> None:
    """A record on a foreign drive may say anything; only shards that we could have asked for have a path."""
    with pytest.raises(UsageError):
        layout.data_path(one, "parquet")
    with pytest.raises(UsageError):
        layout.part_name(one, "1")


@pytest.mark.parametrize(
    "path",
    [
        "option/quote/1m/symbol=QQQ/year=2024/._QQQ-2024-08-02.parquet",
        "option/quote/1m/symbol=QQQ/year=2024/.DS_Store",
        "option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet.part",
        "option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02 (1).parquet",
        "option/quote/1m/symbol=QQQ/year=2023/QQQ-2024-08-02.parquet",
        "option/quote/1m/symbol=QQQ/year=2024/SPY-2024-08-02.parquet",
        "option/quote/1m/symbol=QQQ/year=2024/QQQ-20240802.parquet",
        "option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-02-30.parquet",
        "option/quote/1m/symbol=qqq/year=2024/qqq-2024-08-02.parquet",
        "option/quote/1m/symbol=%51QQ/year=2024/%51QQ-2024-08-02.parquet",
        "option/quote/1m/symbol=BRK%2fB/year=2024/BRK%2fB-2024-08-02.parquet",
        "option/quote/1m/symbol=%FF/year=2024/%FF-2024-08-02.parquet",
        "option/quote/1m~/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet",
        "symbol=QQQ/year=2024/QQQ-2024-08-02.parquet",
        "thetabulk.json",
        "",
    ],
)
def test_a_foreign_file_is_no_day(path: str) -> None:
    """AppleDouble twins, copies, other spellings: ignored, so never adopted and never deleted."""
    assert layout.shard_of(PurePosixPath(path)) is None


def test_an_unknown_format_and_an_unsafe_token_are_refused() -> None:
    """They come from our own code, so these are plain mistakes."""
    with pytest.raises(UsageError, match="format"):
        layout.data_path(shard(), "xlsx")
    with pytest.raises(ValueError, match="file name"):
        layout.part_name(shard(), "../1")
    with pytest.raises(UsageError):
        layout.quarantine_path(PurePosixPath("../x"), "1")
