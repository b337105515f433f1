"""The screen of a run as it is drawn at one moment. Pure: tally, width and time in, lines out."""

from dataclasses import replace

from rich.text import Text

from thetabulk.report.bar import cells, percent
from thetabulk.report.incident import block
from thetabulk.report.sentences import SIMULATED, circumstances, days_of, sentence, shard_text, title
from thetabulk.report.tally import Tally, Transfer
from thetabulk.report.units import ascii_only, count, duration, rate, shorten, size, span

_STYLES = {"saved": "green", "empty": "cyan", "refused": "magenta", "failed": "red", "left": "dim"}
_CELLS = {"saved": "█", "empty": "▒", "refused": "▒", "failed": "▚", "left": "░"}
_SPINNER, _ASCII_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_SPINS_PER_S = 8
_TRANSFERS_SHOWN = 12
_STATES = {
    "waiting": ("waiting", "dim"),
    "receiving": ("receiving", ""),
    "checking": ("checking", "green"),
    "failed": ("to be asked again", "yellow"),
}


def draw(tally: Tally, width: int, now: float, *, opening: str = "", notable: str = "", unicode: bool = True) -> Text:
    """The whole screen, each line at most `width` wide; before the run has started only that something moves."""
    mark = _spin(now, unicode=unicode)
    if tally.run is None:
        lines = [Text(shorten(f"{mark} {opening} …", width))]
    else:
        lines = [*_head(tally, width), *_progress(tally, width, now, mark)]
    lines += _incident(tally, width, now)
    lines += _transfers(tally, width, now)
    if tally.stopping:
        lines.append(Text(shorten(sentence(tally.stopping), width), style="bold yellow"))
    if notable:
        lines.append(Text(shorten(notable, width), style="dim"))
    whole = Text("\n").join(lines)
    if not unicode:
        whole.plain = "\n".join(map(ascii_only, whole.plain.split("\n")))
    return whole


def _head(tally: Tally, width: int) -> list[Text]:
    assert tally.run is not None
    simulated = tally.run.source == "simulator"
    what = title(tally.run, width - len(SIMULATED) - 2 if simulated else width)
    first = Text(what, style="bold")
    if simulated:
        first = Text.assemble((what.ljust(width - len(SIMULATED)), "bold"), (SIMULATED, "bold black on yellow"))
    return [first, *map(Text, circumstances(tally.run, tally.limit, width))]


def _progress(tally: Tally, width: int, now: float, mark: str) -> list[Text]:
    days = tally.days()
    walked = sentence(tally.chunk) if tally.chunk else "looking at the first days"
    asked_again = f" · {sentence(tally.round)}" if tally.round else ""
    numbers = f" {count(tally.done)}/{count(tally.todo)} days {percent(tally.done, tally.todo)}"
    bar = Text()
    for kind, length in cells(days, width - len(numbers)):
        bar.append(_CELLS[kind] * length, style=_STYLES[kind])
    kinds = [f"{count(days[kind])} {kind}" for kind in ("saved", "empty", "refused", "failed") if days[kind]]
    before = [f"{days_of(tally.run.done)} done before"] if tally.run and tally.run.done else []
    return [
        Text(shorten(f"{mark} {walked}{asked_again}", width)),
        bar.append(numbers),
        Text(shorten(" · ".join([*kinds, f"{count(days['left'])} left", *before]), width)),
        Text(shorten(_speed(tally, now), width)),
    ]


def _speed(tally: Tally, now: float) -> str:
    left = tally.time_left(now)
    remaining = f"{span(*left)} left" if left else "time left: too early to say"
    if _stuck(tally) or not tally.days()["left"]:
        remaining = ""
    speed = rate(tally.rate(now)) + (", the drive is the brake" if tally.drive else "")
    parts = [speed, f"{size(tally.received_bytes)} received", duration(tally.elapsed_s(now)), remaining]
    return " · ".join(filter(None, parts))


def _transfers(tally: Tally, width: int, now: float) -> list[Text]:
    """While the run is stuck only those that still move: the others wait for its end."""
    found = [
        (shard, transfer)
        for shard, transfer in tally.transfers.items()
        if not _stuck(tally) or transfer.state in ("receiving", "checking")
    ]
    shown = found[:_TRANSFERS_SHOWN]
    names = max((len(shard_text(shard)) for shard, _ in shown), default=0)
    lines = [_transfer(shard_text(shard).ljust(names), transfer, width, now) for shard, transfer in shown]
    if hidden := len(found) - len(shown):
        lines.append(Text(f"  and {hidden} more", style="dim"))
    return lines


def _transfer(name: str, transfer: Transfer, width: int, now: float) -> Text:
    words, style = _STATES[transfer.state]
    attempt = f", attempt {transfer.attempt}" if transfer.attempt > 1 else ""
    received = size(transfer.bytes) if transfer.bytes else ""
    text = f"  {name}  {received:>8}  {duration(now - transfer.since):>10}  {words}{attempt}"
    return Text(shorten(text, width), style=style)


def _stuck(tally: Tally) -> bool:
    return tally.paused is not None or (tally.incident is not None and tally.incident.stuck)


def _incident(tally: Tally, width: int, now: float) -> list[Text]:
    """What keeps the run from going on, above the transfers: a screen that is too low is cut at its end. The days that
    wait are those of now: some may have ended since it was told."""
    if tally.incident is None:
        return []
    days = tally.days()
    incident = replace(tally.incident, days_left=days["left"] + days["failed"]) if tally.run else tally.incident
    first, *others = block(incident, width, told_s=now - tally.incident_at)
    return [Text(first, style="bold red" if incident.stuck else "bold yellow"), *map(Text, others)]


def _spin(now: float, *, unicode: bool) -> str:
    frames = _SPINNER if unicode else _ASCII_SPINNER
    return frames[int(now * _SPINS_PER_S) % len(frames)]
