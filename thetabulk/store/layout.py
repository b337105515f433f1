"""Shard -> path, and path -> Shard. Pure: nothing here looks at a disk.

Every path is relative to the store, spelled with ASCII characters that exFAT, NTFS and APFS all take, and differs from
every other one after case folding too (design §4). A symbol is percent-encoded where it must be, for two reasons:
pyarrow, DuckDB and Polars decode `%XX` in a Hive folder (`symbol=BRK%2FB` reads as `BRK/B`), and files that begin with
`_` or `.` are invisible to pyarrow, so a `_` before a reserved name would hide the file.
"""

import re
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from thetabulk.errors import UsageError
from thetabulk.model import Collection, Shard

FORMATS = ("parquet", "csv", "csv.zst")
INTERNAL = ".thetabulk"
TMP = PurePosixPath(INTERNAL, "tmp")
QUARANTINE = PurePosixPath(INTERNAL, "quarantine")
CONTRACTS = PurePosixPath(INTERNAL, "contracts")

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.^$/_-]{0,31}")
_DATASET = re.compile(r"[a-z][a-z0-9_]*(/[a-z0-9_]+)*")
_SELECTION = re.compile(r"[a-z_]+=[a-z0-9]+(,[a-z_]+=[a-z0-9]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\..*)?")
"""Windows devices; with an extension too, so `CON.A` would be the console."""


def check_symbol(text: str) -> str:
    """The symbol in capitals; UsageError if it is not one that ThetaData could know.

    ASCII only, checked before the capitals are: `"ß".upper()` is `SS`, another symbol.
    """
    symbol = text.upper()
    if not text.isascii() or not _SYMBOL.fullmatch(symbol):
        raise UsageError(
            f"{text!r} is not a symbol",
            hint="a symbol begins with a letter or digit and has at most 32 of A-Z 0-9 . ^ $ / _ -",
        )
    return symbol


def encode_symbol(symbol: str) -> str:
    """The symbol as it stands in folder and file names: reversible, and no two alike on any file system."""
    if check_symbol(symbol) != symbol:
        raise UsageError(f"{symbol!r} is not spelled in capitals")
    encoded = quote(symbol, safe="")
    if encoded.endswith("."):
        encoded = f"{encoded[:-1]}%2E"
    if _RESERVED.fullmatch(encoded):
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    return encoded


def decode_symbol(encoded: str) -> str | None:
    """The symbol that `encode_symbol` spelled so, or None: another spelling of the same symbol is not ours."""
    symbol = unquote(encoded, errors="replace")
    if not _SYMBOL.fullmatch(symbol) or encode_symbol(symbol) != encoded:
        return None
    return symbol


def data_path(shard: Shard, file_format: str) -> PurePosixPath:
    """`option/quote/1m~max_dte=45/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet`.

    UsageError for a shard that no command line makes: its fields may come from a ledger on a foreign drive.
    """
    _check_format(file_format)
    symbol = encode_symbol(shard.symbol)
    name = f"{symbol}-{shard.day.isoformat()}.{file_format}"
    return PurePosixPath(_folder(shard.collection), f"symbol={symbol}", f"year={shard.day.year:04}", name)


def shard_of(path: PurePosixPath) -> Shard | None:
    """The inverse of `data_path`, for a path relative to the store; None for every file that is not a day of ours."""
    if len(path.parts) < 4:  # dataset, symbol, year, file
        return None
    *folders, symbol_folder, _, name = path.parts
    encoded = symbol_folder.removeprefix("symbol=")
    symbol = decode_symbol(encoded)
    stem, _, file_format = name.removeprefix(f"{encoded}-").partition(".")
    dataset, _, selection = "/".join(folders).partition("~")
    if symbol is None or file_format not in FORMATS:
        return None
    try:
        shard = Shard(Collection(dataset, selection, symbol), date.fromisoformat(stem))
        return shard if data_path(shard, file_format) == path else None
    except (ValueError, UsageError):
        return None


def format_of(path: PurePosixPath) -> str:
    """`csv.zst` of `QQQ-2024-08-02.csv.zst`; "" for a file of another kind."""
    return next((one for one in FORMATS if path.name.endswith(f".{one}")), "")


def contracts_path(symbol: str, day: date) -> PurePosixPath:
    """Where the vendor's list of contracts of that day is kept: `.thetabulk/contracts/QQQ/2024/2024-08-02.csv.zst`."""
    return CONTRACTS / encode_symbol(symbol) / f"{day.year:04}" / f"{day.isoformat()}.csv.zst"


def part_name(shard: Shard, attempt_token: str) -> PurePosixPath:
    """The scratch file of one attempt. No glob for `*.parquet` or `*.csv` finds it."""
    folder = _folder(shard.collection).replace("/", "+")
    name = f"{folder}+{encode_symbol(shard.symbol)}-{shard.day.isoformat()}.{_token(attempt_token)}.part"
    return TMP / name


def kept_path(shard: Shard, file_format: str) -> PurePosixPath:
    """Where an incomplete answer is kept aside, whole and readable, until `thetabulk accept` or a better answer."""
    return QUARANTINE / "incomplete" / data_path(shard, file_format)


def quarantine_path(path: PurePosixPath, token: str) -> PurePosixPath:
    """Where a damaged or unknown file is moved, its path below; `token` keeps a second one apart from the first."""
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise UsageError(f"{path} is not a file of the store")
    return QUARANTINE / "damaged" / _token(token) / path


def _folder(collection: Collection) -> str:
    if not _DATASET.fullmatch(collection.dataset):
        raise UsageError(f"{collection.dataset!r} is not a dataset")
    if collection.selection and not _SELECTION.fullmatch(collection.selection):
        raise UsageError(f"{collection.selection!r} is not a selection")
    return collection.folder


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} cannot stand in a file name")
    return text


def _check_format(file_format: str) -> None:
    if file_format not in FORMATS:
        raise UsageError(f"{file_format!r} is not a format of the store", hint=f"one of {', '.join(FORMATS)}")
