"""Small and large accidents that happen to a body on its way: each takes a body and a dice, and gives another."""

from collections.abc import Callable
from random import Random

Accident = Callable[[bytes, Random], bytes]

_TEXTS = (
    b"<html><body>502 Bad Gateway</body></html>\n", b"No data found for your request\n", b"Internal server error",
    b"\xef\xbb\xbf", b"\x00", b"\r", b"\n", b"\r\n", b"\n\n", b'"', b",", b"\xff\xfe", "٣".encode(), b"NaN", b"-", b"+",
    b"1e9", b"_", b" ", b"\t", b"inf", b"9" * 30, b"{}", b";",
)  # fmt: skip


def _place(body: bytes, dice: Random) -> int:
    return dice.randrange(len(body) + 1)


def _span(body: bytes, dice: Random, longest: int) -> tuple[int, int]:
    start = dice.randrange(max(1, len(body)))
    return start, min(len(body), start + dice.randint(1, longest))


def change_a_byte(body: bytes, dice: Random) -> bytes:
    start = dice.randrange(len(body))
    return body[:start] + bytes([dice.randrange(256)]) + body[start + 1 :]


def flip_a_bit(body: bytes, dice: Random) -> bytes:
    start = dice.randrange(len(body))
    return body[:start] + bytes([body[start] ^ 1 << dice.randrange(8)]) + body[start + 1 :]


def change_a_digit(body: bytes, dice: Random) -> bytes:
    """A price, a size, a strike, a date, a minute, a condition: whichever it is."""
    places = [place for place, byte in enumerate(body) if 48 <= byte < 58]
    place = dice.choice(places)
    return body[:place] + bytes([dice.randrange(48, 58)]) + body[place + 1 :]


def insert_text(body: bytes, dice: Random) -> bytes:
    place = _place(body, dice)
    return body[:place] + dice.choice(_TEXTS) + body[place:]


def insert_bytes(body: bytes, dice: Random) -> bytes:
    place = _place(body, dice)
    return body[:place] + dice.randbytes(dice.randint(1, 8)) + body[place:]


def delete_bytes(body: bytes, dice: Random) -> bytes:
    start, stop = _span(body, dice, dice.choice((1, 4, 40, 400)))
    return body[:start] + body[stop:]


def zero_a_block(body: bytes, dice: Random) -> bytes:
    start, stop = _span(body, dice, 512)
    return body[:start] + bytes(stop - start) + body[stop:]


def swap_blocks(body: bytes, dice: Random) -> bytes:
    size = min(512, len(body) // 3)
    first = dice.randrange(len(body) - 2 * size)
    second = dice.randrange(first + size, len(body) - size + 1)
    one, other = body[first : first + size], body[second : second + size]
    return body[:first] + other + body[first + size : second] + one + body[second + size :]


def repeat_a_block(body: bytes, dice: Random) -> bytes:
    start, stop = _span(body, dice, 600)
    return body[:stop] + body[start:stop] + body[stop:]


def cut_anywhere(body: bytes, dice: Random) -> bytes:
    return body[: dice.randrange(len(body))]


def lose_the_beginning(body: bytes, dice: Random) -> bytes:
    return body[dice.randrange(1, len(body)) :]


def _lines(body: bytes) -> tuple[bytes, list[bytes]]:
    header, *lines = body.splitlines(keepends=True)
    return header, lines


def cut_at_a_line(body: bytes, dice: Random) -> bytes:
    header, lines = _lines(body)
    return header + b"".join(lines[: dice.randrange(len(lines))])


def swap_lines(body: bytes, dice: Random) -> bytes:
    header, lines = _lines(body)
    first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return header + b"".join(lines)


def shuffle_lines(body: bytes, dice: Random) -> bytes:
    header, lines = _lines(body)
    return header + b"".join(dice.sample(lines, len(lines)))


def drop_lines(body: bytes, dice: Random) -> bytes:
    header, lines = _lines(body)
    start = dice.randrange(len(lines))
    return header + b"".join(lines[:start] + lines[start + dice.randint(1, 8) :])


def repeat_lines(body: bytes, dice: Random) -> bytes:
    header, lines = _lines(body)
    start, place = dice.randrange(len(lines)), dice.randrange(len(lines) + 1)
    again = lines[start : start + dice.randint(1, 8)]
    return header + b"".join(lines[:place] + again + lines[place:])


def edit_the_header(body: bytes, dice: Random) -> bytes:
    header, lines = _lines(body)
    names = header.rstrip(b"\r\n").split(b",")
    place = dice.randrange(len(names))
    edits: list[Callable[[], object]] = [
        lambda: names.__setitem__(place, names[place].upper()),
        lambda: names.__setitem__(place, b'"' + names[place] + b'"'),
        lambda: names.insert(place, b"new_column"),
        lambda: names.append(b"appended"),
        lambda: names.pop(place),
        names.reverse,
        lambda: names.__setitem__(place, names[place] + b" "),
        names.clear,
    ]
    dice.choice(edits)()
    return b",".join(names) + header[len(header.rstrip(b"\r\n")) :] + b"".join(lines)


def change_line_ends(body: bytes, dice: Random) -> bytes:
    """Of all lines, or of some of them."""
    share = dice.choice((1.0, 0.5, 0.02))
    lines = body.splitlines(keepends=True)
    other = {b"\n": b"\r\n", b"\r\n": b"\n"}
    ends = [line[len(line.rstrip(b"\r\n")) :] for line in lines]
    return b"".join(
        line.rstrip(b"\r\n") + (other.get(end, end) if dice.random() < share else end)
        for line, end in zip(lines, ends, strict=True)
    )


def lose_the_last_line_end(body: bytes, dice: Random) -> bytes:
    return body.rstrip(b"\r\n")[: -dice.choice((1, 1, 2, 7)) or None] if dice.random() < 0.5 else body.rstrip(b"\r\n")


def change_the_quotes(body: bytes, dice: Random) -> bytes:
    return body.replace(b'"', b"") if dice.random() < 0.5 else body.replace(b",", b'","', dice.randint(1, 20))


def rewrite_a_number(body: bytes, dice: Random) -> bytes:
    """Printed otherwise, or another one: longer, shorter, with a sign, with a zero too many."""
    header, lines = _lines(body)
    place = dice.randrange(len(lines))
    fields = lines[place].rstrip(b"\r\n").split(b",")
    number = dice.randrange(min(5, len(fields) - 1), len(fields))
    text = fields[number].strip(b'"')
    fields[number] = dice.choice(
        (b"+" + text, b"0" + text, text + b"0", b"-" + text, text + b".0", b" " + text, b"", text[:-1], text + b"e1",
         b"-0.00", b"0.005", b"10000000.00", b"2147483648", b"32768")
    )  # fmt: skip
    lines[place] = b",".join(fields) + lines[place][len(lines[place].rstrip(b"\r\n")) :]
    return header + b"".join(lines)


def another_contract(body: bytes, dice: Random) -> bytes:
    """The strike, the right or the expiration of a whole contract is another one, perhaps that of its neighbour."""
    header, lines = _lines(body)
    fields, others = (dice.choice(lines).split(b",")[:4] for _ in range(2))
    prefix, at = b",".join(fields), dice.randrange(min(1, len(fields) - 1), len(fields))
    strange = (fields[at].replace(b"20", b"18", 1), b"99" + fields[at], dice.choice((b"PUT", b"CALL", b"BOTH", b"C")))
    fields[at] = others[at] if dice.random() < 0.3 and at < len(others) else strange[at - 1]
    return header + b"".join(lines).replace(prefix, b",".join(fields))


ACCIDENTS: tuple[Accident, ...] = (
    change_a_byte, flip_a_bit, change_a_digit, insert_text, insert_bytes, delete_bytes, zero_a_block, swap_blocks,
    repeat_a_block, cut_anywhere, lose_the_beginning, cut_at_a_line, swap_lines, shuffle_lines, drop_lines,
    repeat_lines, edit_the_header, change_line_ends, lose_the_last_line_end, change_the_quotes, rewrite_a_number,
    another_contract,
)  # fmt: skip


def mutate(body: bytes, dice: Random) -> tuple[bytes, list[str]]:
    """Another body, and what has happened to it: mostly one thing, sometimes up to four."""
    done = []
    for _ in range(dice.choice((1, 1, 1, 2, 3, 4))):
        accident = dice.choice(ACCIDENTS)
        if len(body.splitlines()) > 3:
            body = accident(body, dice)
            done.append(accident.__name__)
    return body, done
