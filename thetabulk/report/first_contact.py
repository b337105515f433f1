"""What first contact has found, for a person: the facts, what is new in them, and what follows.

Pure: a document in (the JSON of `thetabulk doctor --probe`), lines of at most 80 columns out.
"""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

_WIDTH, _NAME = 79, 15
_ENDS = {"\n": "lines end with LF", "\r\n": "lines end with CR LF", "mixed": "line ends are mixed"}
_STAMPS = {
    "fixed": "always three decimals (09:30:00.000)",
    "trimmed": "no zeros in the fraction (09:30:00)",
    "mixed": "sometimes with decimals, sometimes without",
}
_ORDERS = {
    "contract": "one contract after the other",
    "time": "one moment after the other",
    "other": "in no order",
}
_LISTS = {
    "equal": "exactly the contracts that have quotes",
    "superset": "also contracts that have no quotes",
    "subset": "not all contracts that have quotes",
    "overlap": "also contracts without quotes, and not all that have some",
    "missing": "there is none",
}
_ABOUT = {"weekend": "a Saturday", "holiday": "a holiday", "before": "before history", "above": "above the tier"}
_MEANS = {"empty": "no data", "refused": "not in the subscription", "": "nothing that could be learned"}
_ROWS = {False: (391, 406), True: (211, 226, 391, 406)}
_DOCUMENTED = ("no data found for your request", "subscription")
_ASSETS = ("option", "stock", "index")


def told(document: Mapping[str, Any]) -> Iterator[str]:
    """The report."""
    profile, questions = document["profile"], document["questions"]
    answered = sum(one["status"] is not None for one in questions)
    yield f"First contact, about {profile['symbol']}: {answered} of {len(questions)} questions answered"
    yield ""
    for name, text in _facts(profile):
        yield from _row(name, text)
    yield ""
    news = list(differences(profile))
    if news:
        yield "Unlike what is documented, and followed from now on:"
        for text in news:
            yield from wrap(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
    else:
        yield "Nothing is unlike what is documented."
    for one in questions:
        if one["status"] is None:
            yield from wrap(f"no answer: {one['question']} ({one['error']})", _WIDTH, subsequent_indent="  ")
    yield ""
    kept = document.get("kept")
    without = "Not kept: there is no store yet. The first download offers to ask again."
    yield from wrap(f"Kept in the ledger of {kept}." if kept else without, _WIDTH, break_on_hyphens=False)


def differences(profile: Mapping[str, Any]) -> Iterator[str]:
    """What of a profile changes how days are judged, as sentences."""
    for grid in profile["grids"]:
        if grid["until"] == "16:15" and (grid["rows"] not in _ROWS[grid["half_day"]] or grid["first"] != "09:30"):
            yield f"{_grid(grid)}: {'such days are whole' if _is_whole(grid) else 'that is no whole day'}"
    listed = profile["contract_list"]
    if listed and listed["relation"] in ("superset", "subset", "overlap"):
        yield (
            f"the list of contracts has {_LISTS[listed['relation']]}: a day is saved all the same, with a remark, but "
            "it is not proven by the list"
        )
    if listed and listed["relation"] == "missing":
        yield "there is no list of contracts: days are saved without that proof"
    for status, text, means in sorted({(one["status"], one["text"], one["means"]) for one in profile["told"]}):
        documented = status in (403, 471, 472) and any(words in text.lower() for words in _DOCUMENTED)
        if means and not documented:
            yield f'HTTP {status} "{_short(text)}" means: {_MEANS[means]}'
        elif not means:
            yield f'HTTP {status} "{_short(text)}" is taken for a failure: it could mean anything'
    yield from _print_differences(profile)


def _print_differences(profile: Mapping[str, Any]) -> Iterator[str]:
    """The header, and how rows are printed and sent."""
    if (profile["columns"] or "").startswith("appended"):
        yield f"columns: {profile['columns']}; `download --schema-drift keep` keeps them"
    elif profile["columns"]:
        yield "columns: another header than the documented one, which thetabulk cannot store; please report it"
    if profile["final_newline"] is False:
        yield "answers have no line end after their last row: they count as whole"
    if profile["stamps"] not in (None, "fixed", "trimmed", "mixed"):
        yield f"time stamps look like {profile['stamps']}: thetabulk cannot read them; please report it"
    if profile["framing"] == "close":
        yield "answers end with their connection, which cannot be told from a cut: see fetch.allow_close_delimited"


def _facts(profile: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    quoted = profile["quoted"]
    newline = {True: "", False: ", but not the last one", None: ""}[profile["final_newline"]]
    yield "lines", _known(profile["line_end"], _ENDS) + newline
    if quoted is not None:
        yield "in quotes", (", ".join(quoted) or "nothing") + (" and the header" if profile["header_quoted"] else "")
    yield "time stamps", _known(profile["stamps"], _STAMPS)
    yield "order of rows", _known(profile["order"], _ORDERS)
    for number, grid in enumerate(profile["grids"]):
        yield "" if number else "minutes", _grid(grid)
    yield "contract list", _known(profile["contract_list"] and profile["contract_list"]["relation"], _LISTS)
    said = dict.fromkeys((one["about"], one["status"], one["text"], one["means"]) for one in profile["told"])
    for number, (about, status, text, means) in enumerate(said):
        yield "" if number else "no rows", f'{_ABOUT[about]}: HTTP {status} "{_short(text)}" = {_MEANS[means]}'
    if profile["header_s"] is not None:
        seconds = f"header {profile['header_s']:.2f} s, first byte {profile['first_byte_s']:.2f} s at the slowest"
        yield "answers", f"{seconds}; {profile['framing']}"
        packed = profile["compression"]
        yield "compression", "not known" if packed is None else f"asked for: {packed} (thetabulk does not ask for it)"
    yield "subscription", "; ".join(_tier(profile, asset) for asset in _ASSETS)
    yield "at once", "not known" if profile["requests"] is None else f"{profile['requests']} requests"


def _grid(grid: Mapping[str, Any]) -> str:
    kind = "half-day" if grid["half_day"] else "whole day"
    return f"{grid['symbol']}, {kind} until {grid['until']}: {grid['rows']} rows, {grid['first']}–{grid['last']}"


def _is_whole(grid: Mapping[str, Any]) -> bool:
    """As the profile has it (plan/profile.py): from about the opening to about the close."""
    return bool(grid["first"] <= "09:45" and grid["last"] >= ("12:45" if grid["half_day"] else "15:45"))


def _tier(profile: Mapping[str, Any], asset: str) -> str:
    tier = (profile["tiers"] or {}).get(asset)
    source = (profile["tiers_from"] or {}).get(asset, "")
    return f"{asset} {tier}{f' (by {source})' if source else ''}" if tier else f"{asset} not known"


def _known(value: str | None, words: Mapping[str, str]) -> str:
    return "not known" if value is None else words.get(value, value)


def _short(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:89]}…"


def _row(name: str, text: str) -> Sequence[str]:
    lines = wrap(text, _WIDTH - _NAME, break_on_hyphens=False) or [""]
    return [f"{word:{_NAME}}{line}" for word, line in zip([name, *[""] * len(lines)], lines, strict=False)]
