"""What bad input gets: a message that says what to do, an exit code, nothing created and nothing lost."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.integration.commands import REPOSITORY, SETTINGS, Done, thetabulk
from tests.integration.serving import Served, serving
from tests.integration.vendor import vendor
from thetabulk.assembly import clock, stores
from thetabulk.config import StoreConfig
from thetabulk.store.volume import create_store

SPAN = ("--from", "2024-07-30", "--to", "2024-07-31", "--interval", "1h")


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Monday, 2024-08-05, so that the newest settled session is Friday, 2024-08-02."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2024, 8, 5, 16, tzinfo=UTC))
    for name, value in (SETTINGS | {"PYTHONPATH": str(REPOSITORY)}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Served]:
    with serving("--today", "2024-08-05") as terminal:
        yield terminal


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which has to stay empty."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    """Every file, with its content; folders are `name/`."""
    return {
        f"{path.relative_to(folder)}{'/' if path.is_dir() else ''}": b"" if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
    }


def refused(ended: Done, *said: str, code: int = 2) -> None:
    """The exit code, all these words, and no more than a few lines."""
    assert ended.code == code, ended.err
    for words in said:
        assert words in ended.err
    assert "internal error" not in ended.err
    assert len(ended.err.splitlines()) <= 8


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("", "'' is not a symbol"),
        ("QQQ ", "'QQQ ' is not a symbol"),
        ("QQQ!", "'QQQ!' is not a symbol"),
        ("QQQ,SPY", "'QQQ,SPY' is not a symbol"),
        ("ß", "'ß' is not a symbol"),  # in capitals it would be SS
        ("ＱＱＱ", "is not a symbol"),
        ("../../etc", "'../../etc' is not a symbol"),
        ("$SPX", "begins with a letter or digit"),
        (".QQQ", "begins with a letter or digit"),
        ("Q" * 33, "at most 32"),
        ("QQQ\n", "is not a symbol"),
        ("QQX", "the vendor has no options of QQX\nhint: did you mean QQQ?"),
        ("spyy", "the vendor has no options of SPYY\nhint: did you mean SPY"),
        ("CON", "the vendor has no options of CON"),
        ("ZZZZZZ", "list/symbols of the Terminal has every name"),
    ],
)
def test_a_symbol_that_is_none_is_told(symbol: str, said: str, simulator: Served, place: Path) -> None:
    """Exit code 2, with the nearest names; also if another symbol is a good one."""
    for symbols in ([symbol], ["QQQ", symbol]):
        refused(thetabulk("download", *symbols, *SPAN, "--url", simulator.url, "--store", "new"), said)
    assert everything(place) == {}
    assert simulator.data_requests == []


def test_symbols_are_taken_in_any_case_and_once(simulator: Served, place: Path) -> None:
    """`qqq QQQ` is QQQ."""
    ended = thetabulk("download", "qqq", "QQQ", *SPAN, "--url", simulator.url, "--store", "new", "--json")
    assert (ended.code, ended.collection["symbol"], ended.collection["saved"]) == (0, "QQQ", 2)
    simulator.inner.requests.clear()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which symbol?"),
        (("QQQ", "--from", "2024-08-02", "--to", "2024-08-01"), "2024-08-02 (flag --from) is after job.to = 2024-"),
        (("QQQ", "--from", "2024-08-06"), "no session from 2024-08-06 on is settled yet"),
        (("QQQ", "--from", "2024-08-05"), "hint: the newest settled session is 2024-08-02"),
        (("QQQ", "--from", "2024-07-27", "--to", "2024-07-28"), "there is no trading day from 2024-07-27 to 2024-"),
        (("QQQ", "--from", "2024-07-04", "--to", "2024-07-04"), "hint: nearest: 2024-07-03, 2024-07-05"),
        (("QQQ", "--from", "1999-01-01", "--to", "2000-01-01"), "there is no trading day"),
        (("QQQ", "--from", "2024-02-30"), "--from 2024-02-30: is not a date; write it like 2016-08-04"),
        (("QQQ", "--to", "tomorrow"), "--to tomorrow: is not a date"),
        (("QQQ", "--workers", "0"), "--workers 0: must be at least 1"),
        (("QQQ", "--workers", "12-3"), "--workers 12-3: the range runs backwards; did you mean 3-12?"),
        (("QQQ", "--workers", "many"), "--workers many: is neither a number nor a range; write it like 4 or 3-12"),
        (("QQQ", "--interval", "7m"), "--interval 7m: is none of tick, 10ms"),
        (("QQQ", "--interval", "1s"), "the API has the interval 1s, but thetabulk does not store it"),
        (("QQQ", "--dataset", "option/quote/7m"), "'7m' is not an interval of the API"),
        (("QQQ", "--dataset", "option/greeks"), "the datasets are option/quote, option/open_interest, option/eod"),
        (("QQQ", "--right", "long"), "--right long: is none of call, put, both"),
        (("QQQ", "--max-dte=-1"), "--max-dte -1: must be at least 0"),
        (("QQQ", "--strike-range", "0"), "--strike-range 0: must be at least 1"),
        (("QQQ", "--tier", "gold"), "'gold' is not a tier; the tiers are free, value, standard and pro"),
        (("QQQ", "--tier", "bond=pro"), "'bond' is not an asset"),
        (("QQQ", "--format", "xml"), "--format xml: is none of parquet, csv, csv.zst"),
        (("QQQ", "--prices", "float"), "--prices float: is none of double, decimal"),
        (("QQQ", "--chunk-size", "0"), "--chunk-size 0: must be at least 1"),
        (("QQQ", "--max-consecutive-empty", "0"), "--max-consecutive-empty 0: must be at least 1"),
        (("QQQ", "--until", "25:00"), "--until 25:00: is not a time of day"),
        (("QQQ", "--max-duration", "soon"), "--max-duration soon: is not a duration"),
        (("QQQ", "--faults", "cut"), "without --simulate there is no --faults"),
        (("QQQ", "--nope"), "No such option: --nope"),
        (("QQQ", "--url", "http://10.0.0.1:25503"), "10.0.0.1 is not this machine"),
        (("QQQ", "--url", "http://127.0.0.1.example.org:25503"), "or pass --allow-remote if requests shall really go"),
        (("QQQ", "--url", "https://127.0.0.1:25503"), "https is not what a Terminal speaks"),
        (("QQQ", "--url", "127.0.0.1:25503"), "hint: write it like http://127.0.0.1:25503"),
        (("QQQ", "--url", "http://127.0.0.1:99999"), "there is no port 99999"),
        (("QQQ", "--url", "http://me:secret@127.0.0.1:25503"), "'http://…@127.0.0.1:25503' is not the base URL"),
        (("QQQ", "--config", "absent.toml"), "the config file absent.toml cannot be read"),
    ],
)  # fmt: skip
def test_a_command_line_that_makes_no_sense_is_told(
    arguments: tuple[str, ...], said: str, simulator: Served, place: Path
) -> None:
    """Exit code 2, before anything is made or asked for; with --json the same as an object on stdout."""
    url = () if "--url" in arguments else ("--url", simulator.url)
    before = len(simulator.inner.requests)
    refused(thetabulk("download", *arguments, *url, "--store", "new"), said)
    told = thetabulk("download", *arguments, *url, "--store", "new", "--json")
    if "--nope" not in arguments:
        assert json.loads(told.out)["exit_code"] == told.code == 2
    assert everything(place) == {}
    assert all("/mdds/status" in each.path for each in simulator.inner.requests[before:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--faults", "nonsense"), "the simulator says: there is no fault 'nonsense'; there are 400"),
        (("--faults", "cut:p"), "an option is written key=value"),
        (("--size", "huge"), "argument --size: invalid choice: 'huge'"),
        (("--scenario", "absent.toml"), "No such file or directory: 'absent.toml'"),
    ],
)
def test_options_of_the_simulator_are_checked_too(options: tuple[str, ...], said: str, place: Path) -> None:
    """Exit code 2 in its own words: it is no absent Terminal."""
    refused(thetabulk("download", "QQQ", *SPAN, "--simulate", *options), said)
    assert everything(place) == {}


def test_a_range_into_the_future_is_cut_back(simulator: Served, place: Path) -> None:
    """To the last settled session, and it is said."""
    wanted = ("--from", "2024-08-02", "--to", "2024-12-31", "--interval", "1h", "--url", simulator.url)
    ended = thetabulk("download", "QQQ", *wanted, "--store", "new")
    assert ended.code == 0
    assert "--to 2024-12-31 is cut back to 2024-08-02, the newest settled session" in ended.err
    assert "1 of 1 days to do" in ended.err
    simulator.inner.requests.clear()


def test_all_problems_of_a_config_file_are_told_together(simulator: Served, place: Path) -> None:
    """Unknown keys with the nearest known ones, values out of range, and what the flags add."""
    file = place / "mine.toml"
    file.write_text('[fetch]\nattemps = 7\nworkers = "0"\n[stroe]\npath = "x"\n[run]\nchunk_size = "big"\n')
    ended = thetabulk("download", "QQQ", "--config", file, "--url", simulator.url, "--tier", "gold", "--store", "new")
    refused(
        ended, "5 problems in the settings:", "fetch.attemps in ", "did you mean fetch.attempts?", "stroe", "workers",
        "chunk_size", "'gold' is not a tier",
    )  # fmt: skip
    assert list(everything(place)) == ["mine.toml"]
    file.write_text("[fetch\n")
    refused(thetabulk("download", "QQQ", "--config", file), "is not TOML")


# Places for a store


def test_only_the_folder_of_the_store_itself_is_made(simulator: Served, place: Path) -> None:
    """Its parent has to exist."""
    ended = thetabulk("download", "QQQ", *SPAN, "--url", simulator.url, "--store", place / "no" / "store")
    refused(ended, f"{place / 'no'} does not exist", "make it first; only the store's own folder is made")
    assert everything(place) == {}


def test_no_byte_goes_into_the_mount_folder_of_an_absent_drive(
    simulator: Served, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither beside the drives nor into the empty folder that one left behind: exit code 4."""
    (place / "T7").mkdir()
    monkeypatch.setattr(stores, "create_store", partial(create_store, zones=(place,)))
    for path in (place / "T7", place / "T8", place / "T7" / "store"):
        ended = thetabulk("download", "QQQ", *SPAN, "--url", simulator.url, "--store", path)
        refused(ended, f"the drive of {path} is not mounted", "plug it in", code=4)
    assert everything(place) == {"T7/": b""}
    mounted = partial(create_store, zones=(place,), is_mount_point=lambda path: path == place / "T7")
    monkeypatch.setattr(stores, "create_store", mounted)
    there = thetabulk("download", "QQQ", *SPAN, "--url", simulator.url, "--store", place / "T7" / "store")
    assert there.code == 0
    simulator.inner.requests.clear()


def test_a_file_is_no_store(simulator: Served, place: Path) -> None:
    """Nor becomes one."""
    (place / "file").write_text("mine")
    for command in (("download", "QQQ", *SPAN), ("resume",)):
        ended = thetabulk(*command, "--url", simulator.url, "--store", place / "file")
        refused(ended, f"{place / 'file'} is a file")
    refused(thetabulk("status", "--store", place / "file"), "is a file, not a store")
    assert everything(place) == {"file": b"mine"}


def a_store(simulator: Served, path: Path, *more: str) -> dict[str, bytes]:
    """A store of two days, and everything that is in it but the lock."""
    assert thetabulk("download", "QQQ", *SPAN, "--url", simulator.url, "--store", path, *more).code == 0
    simulator.inner.requests.clear()
    return everything(path)


def test_a_store_inside_another_one_is_refused(simulator: Served, place: Path) -> None:
    """In its data folders or anywhere below."""
    before = a_store(simulator, place / "s")
    for inside in (place / "s" / "option", place / "s" / ".thetabulk" / "mine"):
        ended = thetabulk("download", "QQQ", *SPAN, "--url", simulator.url, "--store", inside)
        refused(ended, "lies inside another store", "choose a folder beside it")
    assert everything(place / "s") == before


def test_a_store_of_a_newer_version_is_left_alone(simulator: Served, place: Path) -> None:
    """By every command that reads it; a newer line in the ledger is as good as a newer store to whoever writes."""
    before = a_store(simulator, place / "s")
    identity = place / "s" / "thetabulk.json"
    identity.write_text(identity.read_text().replace('"version": 1', '"version": 2'))
    for command in (("download", "QQQ", *SPAN, "--url", simulator.url), ("resume",), ("status",), ("verify",)):
        refused(thetabulk(*command, "--store", place / "s"), "was made by a newer thetabulk", "update this one")
    assert everything(place / "s") == before | {"thetabulk.json": identity.read_bytes()}
    identity.write_text("{")
    refused(thetabulk("status", "--store", place / "s"), "thetabulk.json is damaged")


@pytest.mark.parametrize(
    ("made", "asked", "said"),
    [
        ((), ("--format", "csv"), "is a store of parquet, not of csv"),
        (("--format", "csv.zst"), ("--format", "parquet"), "is a store of csv.zst, not of parquet"),
        ((), ("--prices", "decimal"), "is a store of double, not of decimal"),
    ],
)
def test_a_store_keeps_its_format(
    made: tuple[str, ...], asked: tuple[str, ...], said: str, simulator: Served, place: Path
) -> None:
    """Another one is refused; not to say any is to go on with it."""
    before = a_store(simulator, place / "s", *made)
    where = ("--url", simulator.url, "--store", place / "s")
    refused(thetabulk("download", "QQQ", *SPAN, *asked, *where), said, "a store has one format for ever")
    assert everything(place / "s") == before
    assert thetabulk("download", "QQQ", *SPAN, *where).code == 0
    assert simulator.data_requests == []


def test_real_and_simulated_data_never_mix(simulator: Served, place: Path) -> None:
    """A Terminal is refused for a store of the simulator's, and the other way round."""
    before = a_store(simulator, place / "s")
    wider = ("--from", "2024-07-29", "--to", "2024-07-31", "--interval", "1h")
    with vendor("QQQ", b"", b"") as url:
        for command in (("download", "QQQ", *wider), ("resume",)):
            ended = thetabulk(*command, "--url", url, "--store", place / "s")
            refused(ended, "holds data of the simulator, and a real Terminal answers", "choose another --store")
    assert everything(place / "s") == before
    stores.make(place / "real", StoreConfig(), "terminal")
    real = everything(place / "real")
    ended = thetabulk("download", "QQQ", *SPAN, "--url", simulator.url, "--store", place / "real")
    refused(ended, "holds data of a real Terminal, and the simulator answers")
    assert simulator.data_requests == []
    assert {name: content for name, content in everything(place / "real").items() if name in real} == real


def test_one_run_at_a_time(simulator: Served, place: Path) -> None:
    """While another process holds the store: exit code 9, and who it is; status may look."""
    a_store(simulator, place / "s")
    with stores.opened(place / "s", StoreConfig(), write=True):
        for command in (("download", "QQQ", *SPAN, "--url", simulator.url), ("resume", "--url", simulator.url)):
            refused(thetabulk(*command, "--store", place / "s"), "is working on this store", code=9)
        assert thetabulk("status", "--store", place / "s").code == 0


def test_what_is_no_store_cannot_be_gone_on_with(simulator: Served, place: Path) -> None:
    """A folder of something else, nothing at all, a store without a job, a removed one; and none that is known."""
    (place / "photos").mkdir()
    (place / "photos" / "cat.jpg").write_bytes(b"cat")
    for path in (place / "photos", place / "nothing"):
        for command in (("resume", "--url", simulator.url), ("status",), ("verify",)):
            refused(thetabulk(*command, "--store", path), f"{path} is not a store")
    stores.make(place / "new", StoreConfig(), "simulator")
    refused(thetabulk("resume", "--url", simulator.url, "--store", place / "new"), "has no job to go on with")
    assert {name for name in everything(place) if not name.startswith("new")} == {"photos/", "photos/cat.jpg"}


def test_without_any_store_it_says_how_to_name_one(place: Path) -> None:
    """Exit code 2, and a line to paste."""
    refused(thetabulk("status"), "which store? None is known yet", "--store")


def test_days_are_asked_for_once_however_a_range_is_written(simulator: Served, place: Path) -> None:
    """2024-07-30 and 20240730 are the same day; the second download has nothing to do."""
    a_store(simulator, place / "s")
    assert date(2024, 7, 30).isoformat() == SPAN[1]
    again = ("--from", "20240730", "--to", "20240731", "--interval", "1h")
    ended = thetabulk("download", "QQQ", *again, "--url", simulator.url, "--store", place / "s")
    assert ended.code == 0
    assert simulator.data_requests == []
