"""Numbers as a person reads them: sizes, rates, durations, counts. Pure."""

from datetime import date

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
_SPANS = ((172_800.0, 86_400.0, "d"), (7_200.0, 3_600.0, "h"), (120.0, 60.0, "min"), (0.0, 1.0, "s"))
_ASCII = str.maketrans("·–…→×█▒▚░", "|-~>x#-!.")


def count(number: int) -> str:
    """`2,012`."""
    return f"{number:,}"


def size(count_of_bytes: float) -> str:
    """Three digits and a decimal unit, as drives are sold: `987 B`, `12.3 MB`, `320 GB`."""
    value = float(count_of_bytes)
    for unit in _SIZES:
        if value < 999.5 or unit == _SIZES[-1]:
            break
        value /= 1000
    digits = 0 if unit == "B" or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def rate(bytes_per_s: float) -> str:
    """`14.2 MB/s`."""
    return f"{size(bytes_per_s)}/s"


def duration(seconds: float) -> str:
    """The two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = max(0, round(seconds))
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def span(low_s: float, high_s: float) -> str:
    """An honest range in one unit, rounded outwards: `3–4 h`, `40–70 min`, `50–90 s`."""
    length, unit = next((length, unit) for least, length, unit in _SPANS if high_s >= least)
    step = 5 if high_s / length > 30 and unit != "d" else 1
    low, high = int(low_s / length / step) * step, -int(-high_s / length / step // 1) * step
    return f"{low}–{high} {unit}" if low else f"up to {high} {unit}"


def month(day: date) -> str:
    """`2023-05`."""
    return f"{day:%Y-%m}"


def shorten(text: str, width: int) -> str:
    """The text in at most `width` characters, cut in the middle: both ends of a path say something."""
    text = printable(text)
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}" if width > 1 else text[:width]


def printable(text: str) -> str:
    """The text without control codes: a message from elsewhere shall not steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def ascii_only(text: str) -> str:
    """The same text, letter for letter, for a terminal that cannot show more."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
