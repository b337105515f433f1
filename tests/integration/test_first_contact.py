"""A Terminal that differs from the documented one in every answer of thetadata-v3.md §8: after first contact a month
comes without a day refused or lacking; without it, it is shown what would have been."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import Done, thetabulk
from tests.integration.serving import Served, serving
from thetabulk import config, state
from thetabulk.assembly import probing
from thetabulk.errors import AccountError, TerminalUnavailable, UsageError
from thetabulk.ledger.record import to_line
from thetabulk.plan.profile import Profile
from thetabulk.report.first_contact import differences, told
from thetabulk.simulator.server import Simulator

pytestmark = pytest.mark.xdist_group("first_contact")  # one worker for all: the Terminal and its month are made once
Simulate = Callable[..., Served]
STRANGE = Path(__file__).with_name("strange_vendor.json")
MONTH = ("--from", "2024-11-11", "--to", "2024-12-10")  # with Thanksgiving, and the half-day after it
SESSIONS, HALF_DAY = 21, "2024-11-29"


def contact(url: str, store: Path) -> probing.Found:
    settings = config.load(None, config.environment(), {"terminal.url": url, "store.path": str(store)})
    return probing.first_contact(settings)


def download(url: str, store: Path, *more: str, month: tuple[str, ...] = MONTH) -> Done:
    return thetabulk("download", "QQQ", *month, "--url", url, "--store", store, "--json", *more)


@pytest.fixture(scope="module")
def strange() -> Iterator[Served]:
    """One for all: it keeps what it has generated."""
    with serving("--profile", str(STRANGE)) as served:
        yield served


@pytest.fixture(scope="module")
def found(strange: Served, tmp_path_factory: pytest.TempPathFactory) -> probing.Found:
    """What first contact finds there, without a store."""
    return contact(strange.url, tmp_path_factory.mktemp("nothing") / "none")


@pytest.fixture(scope="module")
def met_once(strange: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one day that was lacking, as a run before first contact has left it, and a profile."""
    place = tmp_path_factory.mktemp("met") / "store"
    day = ("--from", "2024-08-02", "--to", "2024-08-02", "--interval", "5m")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "state_folder", lambda: place.parent / "state")
        download(strange.url, place, month=day)
        assert contact(strange.url, place).exit_code == 0
    return place


@pytest.fixture
def met(met_once: Path, tmp_path: Path) -> Path:
    """A copy of it for a test of its own."""
    return Path(shutil.copytree(met_once, tmp_path / "met"))


def test_first_contact_decides_what_the_terminal_does(found: probing.Found) -> None:
    """Every field of the profile that the simulator serves by is found again from its answers."""
    heard = found.profile
    served = Profile.from_fields(json.loads(STRANGE.read_text(encoding="utf-8")))
    for name in ("line_end", "final_newline", "header_quoted", "quoted", "stamps", "order", "compression", "tiers"):
        assert getattr(heard, name) == getattr(served, name), name
    assert set(heard.grids) == set(served.grids)
    assert {(one.about, one.status, one.text, one.means) for one in heard.told} == {
        (one.about, one.status, one.text, one.means) for one in served.told
    }
    assert heard.contract_list is not None
    assert heard.contract_list.relation == "overlap"
    assert 0.15 < heard.contract_list.unquoted < 0.25
    assert 0.05 < heard.contract_list.unlisted < 0.15
    assert heard.header_s is not None
    assert heard.first_byte_s is not None
    assert 0.1 <= heard.header_s <= heard.first_byte_s - 0.15
    assert heard.requests == 4, "the stock subscription counts for the whole account"


def test_after_first_contact_a_month_comes_whole(strange: Served, met: Path) -> None:
    """Every day is saved at the first asking, also the half-day, and stays good to `verify --deep`."""
    before = len(strange.data_requests)
    ended = download(strange.url, met)
    assert (ended.code, ended.counts["saved"]) == (0, SESSIONS)
    assert ended.counts.keys() <= {"saved", "proven"}
    assert len(strange.data_requests) - before == SESSIONS
    saved = [entry for entry in stores.ledger(met) if entry["kind"] == "day" and entry["dataset"] == "option/quote/1m"]
    assert {entry["rows"] // entry["contracts"] for entry in saved if entry["day"] != HALF_DAY} == {404}
    assert {entry["rows"] // entry["contracts"] for entry in saved if entry["day"] == HALF_DAY} == {239}
    assert all("listed contracts are absent" in " ".join(entry["remarks"]) for entry in saved)
    started = ended.events("run_started")[0]
    assert (started["tier"], started["tier_assumed"], started["account_allows"]) == ("value", False, 4)
    assert thetabulk("verify", "--deep", "--store", met).code == 0


def test_without_first_contact_the_same_month_is_lacking(strange: Served, tmp_path: Path) -> None:
    """The other half of the proof: unknown grids, a list that is another one. The days are kept aside, none is lost."""
    ended = download(strange.url, tmp_path / "s", month=("--from", "2024-11-25", "--to", "2024-12-02"))
    assert ended.code == 3
    assert set(stores.outcomes(tmp_path / "s").values()) == {"failed"}
    for entry in stores.days(tmp_path / "s").values():
        assert entry["error"]["kind"] == "incomplete"
        assert any("no known grid" in remark for remark in entry["remarks"])
        assert any("listed contracts are absent" in remark for remark in entry["remarks"])


def test_days_above_the_tier_end_at_a_boundary_in_any_words(strange: Served, met: Path) -> None:
    """ "Beyond your plan", a day named in it, is a refusal: bisected to the first served day, and no day fails."""
    ended = download(
        strange.url, met, "--interval", "1h", "--tier", "standard", month=("--from", "2019-11-01", "--to", "2020-01-31")
    )
    assert ended.code == 7, "wanted days are refused, and none failed"
    assert set(ended.counts) <= {"saved", "proven", "refused"}
    [boundary] = [each for each in stores.boundaries(met) if each["boundary"] == "tier"]
    assert boundary["day"] == "2020-01-02"


def test_without_first_contact_such_words_are_failures(strange: Served, tmp_path: Path) -> None:
    """What says nothing about a subscription may come from anything on the way, and is asked again for ever."""
    ended = download(
        strange.url,
        tmp_path / "s",
        "--interval",
        "1h",
        "--tier",
        "standard",
        month=("--from", "2019-12-30", "--to", "2019-12-31"),
    )
    assert (ended.code, ended.counts) == (3, {"failed": 2})


def test_a_day_without_data_is_empty_in_any_words(met: Path, tmp_path: Path) -> None:
    """HTTP 200 and a sentence, where the table of statuses knows neither; before the profile it was a broken answer."""
    with serving("--profile", str(STRANGE), "--hole", "2024-11-12:2024-11-13") as holey:
        days = ("--from", "2024-11-12", "--to", "2024-11-14", "--interval", "1h")
        assert download(holey.url, met, month=days).counts["empty"] == 2
        assert download(holey.url, tmp_path / "s", month=days).counts["failed"] >= 2


def test_what_was_lacking_before_first_contact_is_saved_after_it(strange: Served, met: Path) -> None:
    """The day that was put aside for its unknown grid is asked for once more, and nobody has to accept it by hand."""
    assert stores.outcomes(met) == {"2024-08-02": "failed"}
    assert thetabulk("resume", "--url", strange.url, "--store", met, "--json").code == 0
    assert stores.outcomes(met) == {"2024-08-02": "saved"}
    stores.assert_consistent(met)


@pytest.mark.parametrize(("known", "kind"), [(True, "saved"), (False, "failed")])
def test_the_terminals_own_slowness_is_no_stall(
    known: bool, kind: str, strange: Served, met: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first byte comes later than the time-out allows; nobody is given up before three times what it took."""
    monkeypatch.setenv("THETABULK_FETCH_FIRST_BYTE_TIMEOUT_S", "0.25")
    monkeypatch.setenv("THETABULK_FETCH_ATTEMPTS", "1")
    monkeypatch.setenv("THETABULK_RUN_ROUNDS", "0")
    days = ("--from", "2024-08-01", "--to", "2024-08-01", "--interval", "30m")
    download(strange.url, met if known else tmp_path / "s", month=days)
    assert stores.days(met if known else tmp_path / "s")["2024-08-01"]["outcome"] == kind


def test_the_profile_is_a_record_of_the_ledger(strange: Served, met: Path) -> None:
    """With its checksum like all others; a second contact takes the place of the first."""
    [first] = [entry for entry in stores.ledger(met) if entry["kind"] == "profile"]
    assert first["grids"][0]["rows"] == 404
    contact(strange.url, met)
    assert len([entry for entry in stores.ledger(met) if entry["kind"] == "profile"]) == 2


def test_a_bundle_can_be_served_again(found: probing.Found, tmp_path: Path) -> None:
    """What first contact saves as a fixture is what a simulator takes: asked about itself, it says the same."""
    probing.save_bundle(found, tmp_path / "bundle.json")
    with serving("--profile", str(tmp_path / "bundle.json")) as again:
        heard = contact(again.url, tmp_path / "none").profile
    for name in ("line_end", "quoted", "stamps", "order", "grids", "told", "compression", "tiers", "requests"):
        assert getattr(heard, name) == getattr(found.profile, name), name


def test_the_documented_terminal_is_like_the_documents(simulator: Simulate, tmp_path: Path) -> None:
    """No difference is told where there is none, and the profile changes nothing."""
    found = contact(simulator().url, tmp_path / "none")
    assert list(differences(found.profile.to_fields())) == []
    assert found.profile.tiers == {"option": "standard", "stock": "free", "index": "free"}
    assert "Nothing is unlike what is documented." in list(told(found.document))


def test_a_free_account_is_told_as_one(simulator: Simulate, tmp_path: Path) -> None:
    """Without quotes: how it prints, from the end-of-day report; and what it may not have."""
    found = contact(simulator("--tier", "free").url, tmp_path / "none")
    assert (found.exit_code, found.profile.tiers) == (0, {"option": "free", "stock": "free", "index": "free"})
    assert found.profile.line_end == "\n"
    assert found.profile.requests == 1


def test_the_report_fits_a_terminal(found: probing.Found) -> None:
    """80 columns, whatever the vendor says."""
    lines = list(told(found.document))
    assert max(map(len, lines)) < 80
    assert any("404 rows, 09:31–16:14" in line for line in lines)
    assert any("beyond your plan" in line for line in lines)


@pytest.mark.parametrize(
    ("fault", "error", "asked"),
    [("478", AccountError, 1), ("474", TerminalUnavailable, 1), ("571:from=3", TerminalUnavailable, 3)],
)
def test_a_lost_session_ends_first_contact_at_once(
    fault: str, error: type[Exception], asked: int, simulator: Simulate, tmp_path: Path
) -> None:
    """What is said of days then means nothing, and whoever fights for a session loses it for everybody."""
    terminal = simulator("--faults", fault)
    with pytest.raises(error):
        contact(terminal.url, tmp_path / "none")
    counted = [each for each in terminal.inner.requests if "/history/" in each.path]
    assert len(counted) <= asked


def test_nobody_there_is_told_as_always(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 8 of the command."""
    monkeypatch.setenv("THETABULK_TERMINAL_START_WAIT_S", "0.1")
    with serving() as gone:
        url = gone.url
    assert thetabulk("doctor", "--probe", "--url", url, "--store", tmp_path / "s").code == 8


def test_when_its_time_is_over_first_contact_ends(
    simulator: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not asked is named; what was not answered is not known."""
    monkeypatch.setenv("THETABULK_PROBE_LIMIT_S", "0")
    found = contact(simulator().url, tmp_path / "none")
    assert found.exit_code == 3
    assert {each["error"] for each in found.document["questions"]} == {"not asked: the time for first contact is over"}
    assert found.profile.tiers == {}


def test_accounts_and_secrets_do_not_reach_the_bundle(simulator: Simulate, tmp_path: Path) -> None:
    """A vendor who repeats the login in a refusal; the bundle is to be shown around."""
    words = "someone@example.com with td1_canary123 may not do that. password=hunter2canary"
    terminal = simulator("--faults", f"403:text={words}")
    found = contact(terminal.url, tmp_path / "none")
    probing.save_bundle(found, tmp_path / "bundle.json")
    written = (tmp_path / "bundle.json").read_text(encoding="utf-8") + json.dumps(dict(found.document))
    assert "may not do that" in written
    assert not any(word in written for word in ("someone@", "td1_canary123", "hunter2canary"))


def test_a_bundle_that_cannot_be_written_is_told(found: probing.Found, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        probing.save_bundle(found, tmp_path / "nowhere" / "bundle.json")


def test_a_rebuilt_ledger_still_knows_the_vendor(strange: Served, met: Path) -> None:
    """Days with another grid are whole by what was learned, and stay so."""
    thetabulk("resume", "--url", strange.url, "--store", met)
    assert thetabulk("store", "rebuild", "--store", met).code == 0
    assert [entry["kind"] for entry in stores.ledger(met)].count("profile") == 1
    assert stores.outcomes(met) == {"2024-08-02": "saved"}
    assert thetabulk("verify", "--deep", "--store", met).code == 0


def test_real_and_simulated_profiles_never_mix(
    simulator: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store of real data does not learn from a simulator."""
    day = ("--from", "2024-08-01", "--to", "2024-08-01", "--interval", "1h")
    with monkeypatch.context() as patch, serving() as real:
        patch.setattr(Simulator, "_headers", lambda self: {})
        download(real.url, tmp_path / "s", month=day)
    with pytest.raises(UsageError, match="the simulator answers"):
        contact(simulator().url, tmp_path / "s")


def test_a_damaged_profile_is_left_aside_and_told(simulator: Simulate, tmp_path: Path) -> None:
    """A record of another program under our name: the run goes on with what is documented."""
    terminal = simulator()
    day = ("--from", "2024-08-01", "--to", "2024-08-01", "--interval", "1h")
    download(terminal.url, tmp_path / "s", month=day)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    line = to_line("profile", 1_000, at, {"grids": "all of them"})
    with (tmp_path / "s" / ".thetabulk" / "ledger.jsonl").open("ab") as ledger:
        ledger.write(line)
    ended = thetabulk("resume", "--url", terminal.url, "--store", tmp_path / "s")
    assert ended.code == 0
    assert "the vendor profile in the ledger is left aside" in ended.told


def test_nothing_is_learned_in_an_outage(simulator: Simulate, tmp_path: Path) -> None:
    """A Terminal that answers 500 to everything teaches nothing, and is not asked for long."""
    terminal = simulator("--faults", "500")
    found = contact(terminal.url, tmp_path / "none")
    assert found.exit_code == 3
    assert not found.profile.meaning("empty")
    assert not found.profile.meaning("refused")


def test_first_contact_never_adds_to_a_storm(simulator: Simulate, tmp_path: Path) -> None:
    """Three times 429, and it is over."""
    terminal = simulator("--faults", "429")
    assert contact(terminal.url, tmp_path / "none").exit_code == 3
    assert len([each for each in terminal.inner.requests if "/terminal/" not in each.path]) == 3


def test_first_contact_is_small(simulator: Simulate, tmp_path: Path) -> None:
    """One request at a time, and never a whole day of minutes."""
    terminal = simulator()
    contact(terminal.url, tmp_path / "none")
    assert terminal.inner.peak_in_flight == 1
    assert all(each.params.get("interval") == "1h" for each in terminal.data_requests)
    assert len(terminal.inner.requests) <= 35
