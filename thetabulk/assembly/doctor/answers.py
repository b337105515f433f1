"""What the Terminal's answers mean. Pure.

Data decide, not the status: a Terminal may call itself connected and deliver nothing (reliability.md §9, D15).
"""

import csv
from datetime import date

from thetabulk.assembly.doctor.talk import QUOTES, Talk
from thetabulk.config import DoctorConfig
from thetabulk.errors import AccountError, BadAnswer, TerminalUnavailable, TransferFailed
from thetabulk.fetch.client import Answer
from thetabulk.fetch.fetcher import SESSION_TAKEN_HINT
from thetabulk.fetch.verdict import Verdict, judge
from thetabulk.redaction import without_accounts
from thetabulk.report.findings import Finding, ok, problem, warn

_ACCOUNT, _TERMINAL = AccountError.exit_code, TerminalUnavailable.exit_code
_NOT_UNDERSTOOD = "thetabulk and this Terminal do not understand each other: is it a v3, and a recent one?"


def status_finding(said: Talk) -> Finding:
    """Of the Terminal's own word."""
    if said.trouble is not None and not said.reached:
        return problem(
            "terminal", said.trouble.what, "start it, or try without one (thetabulk download QQQ --simulate):",
            "thetabulk terminal start", code=said.trouble.exit_code,
        )  # fmt: skip
    if said.trouble is not None:
        return problem("terminal", said.trouble.what, said.trouble.hint, code=said.trouble.exit_code)
    if said.busy:
        return warn(
            "terminal", f"alive at {said.url}, but too busy to say its status (429)",
            "leave it alone for two minutes; if nothing else uses it, it has lost the vendor: restart it then",
        )  # fmt: skip
    if said.simulator:
        return ok("terminal", "the simulator: invented data, no account")
    return ok("terminal", "CONNECTED")


def golden_finding(said: Talk, settings: DoctorConfig) -> Finding | None:
    """Of the data; None if they were not asked for."""
    what = f"{settings.golden_symbol} {settings.golden_day}"
    if said.golden is None:
        return None
    if isinstance(said.golden, BadAnswer):
        return problem("data", f"{what}: {said.golden}", _NOT_UNDERSTOOD, code=_TERMINAL)
    if isinstance(said.golden, TransferFailed):
        return _unfinished(said.golden, what)
    verdict = judge(said.golden.status, said.golden.text)
    if verdict is Verdict.SAVE:
        wrong = golden_fault(said.golden.text, settings.golden_symbol, settings.golden_day)
        if wrong:
            return problem("data", f"{what}: {wrong}", _NOT_UNDERSTOOD, code=_TERMINAL)
        rows = said.golden.text.count("\n") - 1
        return ok("data", f"{what}: {rows:,} rows of quotes, as expected, in {said.golden.seconds:.1f} s")
    return _refusal(said, verdict, what)


def golden_fault(text: str, symbol: str, day: date | None) -> str:
    """What is wrong with the golden answer: "" if the pinned header stands above rows of that symbol and day."""
    rows = csv.reader(text.splitlines())
    header = tuple(next(rows, []))
    if header != QUOTES.header:
        return f"another header than expected: {without_accounts(text.splitlines()[0][:60]) if text.strip() else '-'}"
    stamp = QUOTES.header.index(QUOTES.day_column)
    count = 0
    for row in rows:
        count += 1
        if len(row) != len(header):
            return f"row {count} has {len(row)} fields, not {len(header)}"
        if row[0] != symbol or row[stamp][:10] != str(day):
            return f"row {count} is of another day or symbol"
    return "" if count else "a header, and no rows for a day that has some"


def _unfinished(error: TransferFailed, what: str) -> Finding:
    if error.kind == "stalled":
        return warn(
            "data", f"{what}: asked for a few rows, and no answer came in time",
            "another download keeps the Terminal busy, or it is stuck; if nothing else uses it, restart it",
        )  # fmt: skip
    return problem("data", f"{what}: the answer broke off ({error})", "restart the Terminal", code=_TERMINAL)


def _refusal(said: Talk, verdict: Verdict, what: str) -> Finding:
    """Of an answer to the golden request that is no data."""
    answer = said.golden
    assert isinstance(answer, Answer)
    told = f"HTTP {answer.status}: {without_accounts(_first_line(answer.text))}"
    if verdict is Verdict.ABORT:
        return problem("data", f"the session was taken over ({told})", SESSION_TAKEN_HINT, code=_ACCOUNT)
    if verdict in (Verdict.PAUSE, Verdict.WAIT):
        claim = "" if said.busy else "the status says CONNECTED, but "
        return problem(
            "data", f"{claim}data requests get {told}",
            "it has lost the vendor's servers: wait a minute; if it stays, restart the Terminal", code=_TERMINAL,
        )  # fmt: skip
    if verdict is Verdict.REFUSE:
        return _tier_finding(said, told)
    if verdict is Verdict.SLOW_DOWN:
        return warn("data", f"too busy for a small request ({told})", "is another download running? Wait for it")
    if verdict is Verdict.EMPTY:
        return problem(
            "data", f"no data for {what}, which is known to have some",
            "what it calls empty cannot be believed now: wait, or restart the Terminal", code=_TERMINAL,
        )  # fmt: skip
    if answer.status == 476:
        return problem(
            "data", f"it refuses this spelling of its address ({told})",
            "something has asked it as `localhost`, or as 127.0.0.1, before: it takes one of them for its life. "
            "Restart the Terminal, and let every program use 127.0.0.1", code=_TERMINAL,
        )  # fmt: skip
    if verdict is Verdict.ASKED_WRONGLY:
        return problem("data", f"{what}: {told}", _NOT_UNDERSTOOD, code=_TERMINAL)
    return problem("data", f"{what}: {told}", "restart the Terminal if it stays so", code=_TERMINAL)


def _tier_finding(said: Talk, told: str) -> Finding:
    if isinstance(said.reports, Answer) and judge(said.reports.status, said.reports.text) is Verdict.SAVE:
        return warn(
            "data", f"the subscription serves no option quotes ({told})", "it does serve end-of-day reports:",
            "thetabulk download QQQ --dataset option/eod",
        )  # fmt: skip
    return problem("data", f"the subscription serves no option history ({told})", code=_ACCOUNT)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:160] if text.strip() else "(no text)"
