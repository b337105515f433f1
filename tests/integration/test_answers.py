"""What becomes of an answer: the classes A, B and C of docs/architecture.md, row by row, through a whole run."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.integration import stores
from tests.integration.commands import Done, thetabulk
from tests.integration.serving import Served
from tests.integration.vendor import contract_list, vendor
from tests.unit.store.test_golden import cases

GOOD, BAD = "2024-07-31", "2024-08-01"
Simulate = Callable[..., Served]


def download(terminal: Served, store: Path, *more: str, first: str = GOOD, last: str = BAD, every: str = "1h") -> Done:
    days = ("--from", first, "--to", last, "--interval", every)
    return thetabulk("download", "QQQ", *days, "--url", terminal.url, "--store", store, "--json", *more)


def resume(terminal: Served, store: Path, *more: str) -> Done:
    return thetabulk("resume", "--url", terminal.url, "--store", store, "--json", *more)


def on_the_bad_day(fault: str) -> str:
    name, _, options = fault.partition(":")
    return f"{name}:days={BAD}" + (f",{options}" if options else "")


BROKEN = {
    "cut": "cut",
    "reset": "dropped",
    "reset:at=0.5": "cut",
    "clean-cut:by=byte,at=0.4": "row",
    "error-inside": "row",
    "html": "text",
    "wrong-day": "day",
    "wrong-day:rows=one": "day",
    "wrong-symbol": "symbol",
    "wrong-symbol:rows=one": "symbol",
    "new-column": "header",
    "renamed-column": "header",
    "swapped-columns": "header",
    "empty": "empty-body",
    "header-only": "empty-body",
    "403": "http-403",
    "403:text=<html>no subscription</html>": "http-403",
    "470": "http-470",
    "475": "http-475",
    "500": "http-500",
    "503": "http-503",
    "572": "http-572",
}
"""Class A, and statuses that are no answer at all: as what it is recorded."""


@pytest.mark.parametrize(("fault", "kind"), BROKEN.items())
def test_a_broken_answer_is_no_data_and_no_empty_day(
    fault: str, kind: str, simulator: Simulate, tmp_path: Path
) -> None:
    """It fails with its kind, nothing of it is kept, its neighbour is saved; another Terminal's answer is taken."""
    ended = download(simulator("--faults", on_the_bad_day(fault)), tmp_path / "s")
    assert (ended.code, ended.counts) == (3, {"saved": 1, "proven": 1, "failed": 1})
    assert stores.days(tmp_path / "s")[BAD]["error"]["kind"] == kind
    assert list(stores.data_files(tmp_path / "s")) == [f"option/quote/1h/symbol=QQQ/year=2024/QQQ-{GOOD}.parquet"]
    kept = [path for path in (tmp_path / "s" / ".thetabulk" / "quarantine").rglob("*") if path.is_file()]
    assert all(path.suffix == ".txt" for path in kept)  # its opening, for a person to look at; never data
    assert resume(simulator(), tmp_path / "s").counts == {"saved": 2, "proven": 2}
    stores.assert_consistent(tmp_path / "s")


@pytest.mark.parametrize("fault", ["cut", "html", "wrong-day", "empty", "500", "429:retry_after=0", "474", "571"])
def test_what_was_broken_once_is_asked_again_in_the_same_run(fault: str, simulator: Simulate, tmp_path: Path) -> None:
    """With the second answer the day is proven."""
    terminal = simulator("--faults", on_the_bad_day(f"{fault}{',' if ':' in fault else ':'}times=1"))
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 2})
    assert terminal.days().count(BAD) == 2


def test_an_answer_above_the_byte_ceiling_is_given_up(
    simulator: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it would have been."""
    monkeypatch.setenv("THETABULK_FETCH_BODY_CEILING_BYTES", "10000")
    assert download(simulator(), tmp_path / "s", first=BAD).code == 3
    assert stores.days(tmp_path / "s")[BAD]["error"]["kind"] == "oversize"


def test_a_part_that_nobody_asked_for_is_no_answer(tmp_path: Path) -> None:
    """Status 206, however whole the body looks."""
    case = next(case for case in cases() if case.file == "quote_1h_live.csv" and case.class_ == "good")
    span = ("--from", f"{case.day}", "--to", f"{case.day}", "--interval", "1h")
    with vendor(case.symbol, case.body, contract_list(case.symbol, case.listed()), status=206) as url:
        ended = thetabulk("download", case.symbol, *span, "--url", url, "--store", tmp_path / "s", "--json")
    assert (ended.code, ended.counts) == (3, {"failed": 1})
    assert stores.days(tmp_path / "s")[f"{case.day}"]["error"]["kind"] == "protocol"
    assert stores.data_files(tmp_path / "s") == {}


SURPLUS = {
    "double-row": "1 row came more than once",
    "double-contract": "7 rows came more than once",
    "unlisted-contract": "1 contract is not in the vendor's list",
    "old-expiration": "1 contract had expired: 1882-12-30",
    "nan": "1 price is no number",
    "negative": "1 price is negative",
    "three-decimals": "1 price has more than 2 decimals",
}
LACKING = {
    "drop-contract": "1 of 30 listed contracts are absent",
    "drop-row": "1 contract has fewer rows than the others",
    "grid:rows=6": "6 rows per contract are no known grid",
    "clean-cut:by=contract,at=0.5": "listed contracts are absent",
}


@pytest.mark.parametrize("fault", [*SURPLUS, *LACKING])
def test_what_contradicts_an_expectation_once_is_asked_once_more(
    fault: str, simulator: Simulate, tmp_path: Path
) -> None:
    """Class B that heals: the second answer is whole, and the day is proven."""
    terminal = simulator("--faults", on_the_bad_day(f"{fault}{',' if ':' in fault else ':'}times=1"))
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 2})
    assert terminal.days().count(BAD) == 2
    assert [event["days"] for event in ended.events("round_started")] == [1]


@pytest.mark.parametrize(("fault", "remark"), SURPLUS.items())
def test_a_surplus_that_stays_is_saved_with_remarks(
    fault: str, remark: str, simulator: Simulate, tmp_path: Path
) -> None:
    """Class B that persists: two requests, the same content, saved but not proven; exit code 0, with --strict 3."""
    terminal = simulator("--faults", on_the_bad_day(fault))
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 1})
    assert terminal.days().count(BAD) == 2
    entry = stores.days(tmp_path / "s")[BAD]
    assert entry["proof"] == "remarks"
    assert remark in "; ".join(entry["remarks"])
    assert resume(terminal, tmp_path / "s").code == 0
    assert download(terminal, tmp_path / "s", "--strict").code == 3
    assert terminal.days().count(BAD) == 2, "what is saved is not asked for again"
    [gap] = thetabulk("status", "--gaps", "--json", "--store", tmp_path / "s").document["gaps"]
    assert (gap["day"], gap["outcome"]) == (BAD, "saved")
    assert remark in gap["reason"]


@pytest.mark.parametrize(("fault", "remark"), LACKING.items())
def test_a_lack_that_stays_is_kept_aside(fault: str, remark: str, simulator: Simulate, tmp_path: Path) -> None:
    """Failed as incomplete, the answer readable beside the data; `resume` asks again, and a whole answer wins."""
    terminal = simulator("--faults", on_the_bad_day(fault))
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (3, {"saved": 1, "proven": 1, "failed": 1})
    entry = stores.days(tmp_path / "s")[BAD]
    assert entry["error"]["kind"] == "incomplete"
    assert remark in entry["error"]["message"]
    assert 0 < pq.read_metadata(tmp_path / "s" / entry["kept"]).num_rows < 30 * 7
    assert terminal.days().count(BAD) == 2
    assert resume(terminal, tmp_path / "s").code == 3
    assert terminal.days().count(BAD) == 3
    assert resume(simulator(), tmp_path / "s").counts == {"saved": 2, "proven": 2}
    assert not (tmp_path / "s" / entry["kept"]).exists()
    stores.assert_consistent(tmp_path / "s")


def test_a_person_may_accept_what_was_kept_aside(simulator: Simulate, tmp_path: Path) -> None:
    """It becomes the day, never proven; nothing is asked for it again."""
    terminal = simulator("--faults", on_the_bad_day("drop-contract"))
    assert download(terminal, tmp_path / "s").code == 3
    accepted = thetabulk("accept", "QQQ", "--interval", "1h", "--day", BAD, "--store", tmp_path / "s", "--json")
    assert (accepted.code, accepted.document["proof"]) == (0, "accepted")
    asked = len(terminal.days())
    ended = resume(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 1})
    assert len(terminal.days()) == asked
    assert thetabulk("verify", "--deep", "--store", tmp_path / "s").code == 0
    stores.assert_consistent(tmp_path / "s")


def test_two_different_answers_are_no_proof_of_either(simulator: Simulate, tmp_path: Path) -> None:
    """One row twice, then another oddity: failed. The same once more, in the next run: saved with remarks."""
    faults = f"{on_the_bad_day('double-row:times=1')};{on_the_bad_day('negative:skip=1')}"
    terminal = simulator("--faults", faults)
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (3, {"saved": 1, "proven": 1, "failed": 1})
    assert "another answer than before" in stores.days(tmp_path / "s")[BAD]["error"]["message"]
    ended = resume(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 1})


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        ("570:to=1", ["both", "call", "put"]),
        ("570:to=2", ["both", "call", *["call"] * 4, *["put"] * 4]),
        ("570:to=1;cut:from=3,to=3", ["both", "call", "put", "call", "put"]),
    ],
    ids=["by right", "then by time", "a part that is cut spoils its whole attempt"],
)
def test_a_day_that_is_too_large_is_asked_for_in_parts(
    fault: str, asked: list[str], simulator: Simulate, tmp_path: Path
) -> None:
    """570: by right, then in bands of time; one file with the content of a whole answer, proven."""
    terminal = simulator("--faults", fault)
    ended = download(terminal, tmp_path / "s", first=BAD)
    assert (ended.code, ended.counts) == (0, {"saved": 1, "proven": 1})
    assert [each.params["right"] for each in terminal.data_requests] == asked
    download(simulator(), tmp_path / "whole", first=BAD)
    parts, whole = (stores.days(tmp_path / name)[BAD] for name in ("s", "whole"))
    assert [parts[name] for name in ("content", "rows", "contracts")] == [
        whole[name] for name in ("content", "rows", "contracts")
    ]
    assert thetabulk("verify", "--deep", "--store", tmp_path / "s").code == 0


def test_a_hundredth_of_the_contracts_may_be_absent(simulator: Simulate, tmp_path: Path) -> None:
    """One of 2,840 is a surplus of the list, not a lack of the answer: saved with remarks."""
    terminal = simulator("--size", "real", "--faults", "drop-contract")
    ended = download(terminal, tmp_path / "s", first="2017-06-15", last="2017-06-15")
    assert (ended.code, ended.counts) == (0, {"saved": 1})
    entry = stores.days(tmp_path / "s")["2017-06-15"]
    assert entry["remarks"][0].startswith(f"1 of {entry['contracts'] + 1} listed contracts are absent")


@pytest.mark.parametrize(
    ("fault", "remark"),
    [
        ("time-major", "rows did not come contract by contract"),
        ("no-final-newline", "the last row has no line end"),
        ("mixed-newlines", "105 rows are printed unlike the others"),
        ("reversed", ""),
    ],
)
def test_what_is_only_odd_is_saved_and_proven(fault: str, remark: str, simulator: Simulate, tmp_path: Path) -> None:
    """Class C: one request, proof full, a remark, and the vendor's bytes back."""
    terminal = simulator("--faults", on_the_bad_day(fault))
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 2})
    assert terminal.days().count(BAD) == 1
    assert remark in "; ".join(stores.days(tmp_path / "s")[BAD]["remarks"])
    assert thetabulk("verify", "--deep", "--store", tmp_path / "s").code == 0


@pytest.mark.parametrize("rows", [211, 226, 391, 406])
def test_every_known_grid_of_a_half_day_is_whole(rows: int, simulator: Simulate, tmp_path: Path) -> None:
    """To 13:00, 13:15, 16:00 or 16:15: real half-days have been seen as large as full ones."""
    terminal = simulator("--half-day-grid", str(rows))
    ended = download(terminal, tmp_path / "s", first="2024-07-03", last="2024-07-03", every="1m")
    assert (ended.code, ended.counts) == (0, {"saved": 1, "proven": 1})
    entry = stores.days(tmp_path / "s")["2024-07-03"]
    assert entry["rows"] == rows * entry["contracts"]


@pytest.mark.parametrize("rows", [390, 211])
def test_an_unknown_grid_is_a_lack(rows: int, simulator: Simulate, tmp_path: Path) -> None:
    """Half a day's minutes on a whole day, or one minute less than there should be."""
    terminal = simulator("--faults", f"grid:rows={rows}")
    assert download(terminal, tmp_path / "s", first=BAD, every="1m").code == 3
    assert f"{rows} rows per contract are no known grid" in stores.days(tmp_path / "s")[BAD]["error"]["message"]


@pytest.mark.parametrize("answer", ["500", "empty", "403"])
def test_without_a_contract_list_a_day_is_saved_unproven_until_there_is_one(
    answer: str, simulator: Simulate, tmp_path: Path
) -> None:
    """Refused, failing or empty is the same; `resume` asks for the list alone, and the proof becomes full."""
    terminal = simulator("--faults", on_the_bad_day(f"list-fails:answer={answer}"))
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 1})
    assert stores.days(tmp_path / "s")[BAD]["proof"] == "no-contract-list"
    files = stores.data_files(tmp_path / "s")
    healthy = simulator()
    ended = resume(healthy, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 2, "proven": 2})
    assert healthy.data_requests == []
    assert [each.params["date"] for each in healthy.asked_for("/list/contracts/")] == [BAD]
    assert stores.data_files(tmp_path / "s") == files


@pytest.mark.parametrize("fault", ["false472", "text"])
def test_no_data_is_an_answer_that_may_be_taken_back(fault: str, simulator: Simulate, tmp_path: Path) -> None:
    """472, or its text with status 200: empty, asked once, exit code 0; `resume --recheck` asks again."""
    terminal = simulator("--faults", on_the_bad_day(fault))
    ended = download(terminal, tmp_path / "s")
    assert (ended.code, ended.counts) == (0, {"saved": 1, "proven": 1, "empty": 1})
    assert terminal.days().count(BAD) == 1
    healthy = simulator()
    assert resume(healthy, tmp_path / "s").counts == {"saved": 1, "proven": 1, "empty": 1}
    assert healthy.data_requests == [], "an old empty day is asked for again after a day, a week and a month"
    assert resume(healthy, tmp_path / "s", "--recheck").counts == {"saved": 2, "proven": 2}


@pytest.mark.parametrize("status", ["400", "404", "410", "473", "476"])
def test_three_days_that_say_we_asked_wrongly_end_the_run(status: str, simulator: Simulate, tmp_path: Path) -> None:
    """Exit code 1 with the request; no day is refused or empty, and no boundary is made."""
    terminal = simulator("--faults", status)
    ended = download(terminal, tmp_path / "s", first="2024-07-01")
    assert ended.code == 1
    assert "/v3/option/history/quote?symbol=QQQ&expiration=*&strike=*" in ended.told
    assert set(stores.outcomes(tmp_path / "s").values()) <= {"failed"}
    assert stores.boundaries(tmp_path / "s") == []
    assert 3 <= len(terminal.data_requests) < 23


@pytest.mark.parametrize("fault", ["renamed-column", "new-column", "swapped-columns"])
def test_three_changed_headers_in_a_row_end_the_run(fault: str, simulator: Simulate, tmp_path: Path) -> None:
    """Exit code 1, "schema changed", nothing kept."""
    ended = download(simulator("--faults", fault), tmp_path / "s", first="2024-07-01")
    assert ended.code == 1
    assert "the vendor's schema changed" in ended.told
    assert "--schema-drift keep" in ended.told
    assert stores.data_files(tmp_path / "s") == {}


def test_an_appended_column_may_be_allowed(simulator: Simulate, tmp_path: Path) -> None:
    """--schema-drift keep: every day is saved, and comes out as it came."""
    terminal = simulator("--faults", "new-column")
    ended = download(terminal, tmp_path / "s", "--schema-drift", "keep")
    assert (ended.code, ended.counts["saved"]) == (0, 2)
    wanted = ("export", "QQQ", "--interval", "1h", "--day", BAD, "--store", tmp_path / "s")
    header, first, *_ = thetabulk(*wanted).out.splitlines()
    assert header.endswith(b",surprise")
    assert first.endswith(b",7")
    ended = download(simulator("--faults", "renamed-column"), tmp_path / "other", "--schema-drift", "keep")
    assert (ended.code, ended.counts) == (3, {"failed": 2}), "only an appended one"
