"""The pictures of the README, made from what the commands really write: `make pictures`.

Each command runs in a pseudo-terminal of 80 columns against the built-in simulator; what stands on that screen is drawn
as SVG by Rich. Nothing is staged but the faults that the simulator is told to make, and one byte that is flipped in a
stored file before `verify`.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pexpect
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from benchmarks.child import THETABULK, environment

PICTURES = Path(__file__).parent / "pictures"
SCRATCH = Path(tempfile.gettempdir()) / "thetabulk-pictures"
COLUMNS, ROWS = 80, 60
FAULTS = (
    "cut:p=0.03,times=1; 429:p=0.02,times=1,retry_after=1; list-fails:days=2024-04-15..2024-04-16; "
    "unlisted-contract:days=2024-03-20; drop-contract:days=2024-02-08,count=9; 500:days=2024-01-11"
)
_PATIENCE_S = 600
_FONT_FACES = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)  # of a server somewhere: pictures ask nobody
_BLANK, _CELL = "&#160;", 12.2  # as Rich writes them
_INDENTED = re.compile(
    r'x="(?P<x>[\d.]+)" (?P<y>y="[\d.]+") textLength="(?P<length>[\d.]+)"(?P<rest>[^>]*)>(?P<blanks>(?:&#160;)+)(?!<)'
)
_CONTROL = re.compile(
    r"(?P<style>\x1b\[[\d;]*m)|\x1b\[(?P<count>\d*)(?P<move>[AK])|\x1b\[\?\d+[hl]|\x1b\][^\x07]*\x07|[\r\n]"
)
_THEME = TerminalTheme(
    (27, 31, 38),
    (214, 220, 228),
    [
        (27, 31, 38), (232, 106, 106), (126, 200, 128), (229, 192, 100),
        (110, 160, 240), (198, 140, 220), (96, 196, 204), (214, 220, 228),
    ],
    [
        (120, 128, 140), (240, 130, 130), (150, 220, 150), (240, 210, 130),
        (140, 185, 255), (215, 165, 235), (125, 215, 222), (255, 255, 255),
    ],
)  # fmt: skip


@dataclass(slots=True)
class Screen:
    """As much of a terminal as Rich's live display needs: lines with their styles, and a cursor that moves by lines."""

    lines: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    _fresh: bool = False  # the cursor stands at the beginning of its line

    def feed(self, text: str) -> None:
        at = 0
        for found in _CONTROL.finditer(text):
            self._write(text[at : found.start()])
            self._control(found)
            at = found.end()
        self._write(text[at:])

    def shown(self) -> list[str]:
        """The lines, without empty ones at both ends."""
        plain = [Text.from_ansi(line).plain.strip() for line in self.lines]
        used = [number for number, line in enumerate(plain) if line]
        return self.lines[used[0] : used[-1] + 1] if used else []

    def _write(self, text: str) -> None:
        if text:
            self.lines[self.row] = text if self._fresh else self.lines[self.row] + text
            self._fresh = False

    def _control(self, found: re.Match[str]) -> None:
        if found["style"]:
            self._write(found["style"])
        elif found[0] == "\n":
            self.row += 1
            self._fresh = True
            if self.row == len(self.lines):
                self.lines.append("")
        elif found[0] == "\r":
            self._fresh = True
        elif found["move"] == "A":
            self.row = max(0, self.row - int(found["count"] or 1))
        elif found["move"] == "K":
            self.lines[self.row] = ""


def record(words: list[str], env: dict[str, str], *, keep: Callable[[str], bool] | None = None) -> list[str]:
    """Runs a command to its end; the lines on its screen then or, with `keep`, the last ones of which it said yes."""
    screen, kept = Screen(), [""]
    child = pexpect.spawn(
        THETABULK[0], [*THETABULK[1:], *words], env={**env, "TERM": "xterm-256color"}, cwd=str(SCRATCH),
        dimensions=(ROWS, COLUMNS), encoding="utf-8", timeout=_PATIENCE_S,
    )  # fmt: skip
    while True:
        try:
            screen.feed(child.read_nonblocking(65_536, _PATIENCE_S))
        except pexpect.EOF:
            break
        if keep is not None and keep("\n".join(Text.from_ansi(line).plain for line in screen.shown())):
            kept = screen.shown()
    child.close()
    return kept if keep else screen.shown()


def draw(name: str, words: list[str], lines: list[str]) -> None:
    """One picture: the command line, and what it wrote."""
    console = Console(
        record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    console.print(Text.assemble(("$ ", "bold green"), ("thetabulk " + " ".join(words), "bold")))
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="crop")
    svg = console.export_svg(title="thetabulk", theme=_THEME, unique_id=f"thetabulk-{name}")
    (PICTURES / f"{name}.svg").write_text(_INDENTED.sub(_moved, _FONT_FACES.sub("", svg)), encoding="utf-8")


def _moved(found: re.Match[str]) -> str:
    """A text that begins with blanks as a text that begins further right: some renderers swallow the blanks."""
    blanks = len(found["blanks"]) // len(_BLANK)
    x, length = float(found["x"]) + blanks * _CELL, float(found["length"]) - blanks * _CELL
    return f'x="{x:g}" {found["y"]} textLength="{length:g}"{found["rest"]}>'


def halfway(text: str) -> bool:
    """Four or more days arrive or are checked, about half of the days are done, and the time left is known."""
    done = re.search(r"(\d+)/(\d+) days", text)
    busy = len(re.findall(r"  (?:receiving|checking)", text))
    share = int(done[1]) / int(done[2]) if done else 0.0
    return busy >= 4 and 0.4 <= share <= 0.6 and "too early" not in text


def live(env: dict[str, str]) -> None:
    """The screen of a download of real-size days, halfway."""
    words = ["download", "QQQ", "--from", "2017-06-01", "--to", "2017-06-30"]
    more = ["--store", "real", "--simulate", "--size", "real", "--yes"]
    draw("live", words, record([*words, *more], env, keep=halfway))
    shutil.rmtree(SCRATCH / "real")


def year(env: dict[str, str]) -> None:
    """A year of small days, with trouble: its summary, what is there, what is not proven."""
    words = ["download", "QQQ", "--from", "2023-08-01", "--to", "2024-07-31", "--store", "options", "--simulate"]
    draw("summary", [*words, "--faults", "…"], record([*words, "--faults", FAULTS, "--yes"], env))
    for name, command in {"status": ["status"], "gaps": ["status", "--gaps"]}.items():
        draw(name, command, record([*command, "--store", "options"], env))
    flip(next((SCRATCH / "options").rglob("QQQ-2024-05-17.parquet")))
    draw("verify", ["verify"], record(["verify", "--store", "options"], env))


def flip(file: Path) -> None:
    """One bit of a stored file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def main() -> int:
    """Makes all pictures."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    PICTURES.mkdir(exist_ok=True)
    env = environment(SCRATCH) | {"LANG": "C.UTF-8", "PYTHONUTF8": "1"}
    try:
        live(env)
        year(env | {"THETABULK_FETCH_BACKOFF_FIRST_S": "0.1", "THETABULK_FETCH_LAUNCH_GAP_S": "0.02"})
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
