"""Numbers with their nouns, as a sentence needs them. Pure."""


def counted(number: int, noun: str, *verb: str) -> str:
    """`1 row`, `2,012 rows`; with a verb for one and for many: `1 row comes`, `2 rows come`."""
    one = number == 1
    words = [f"{number:,}", noun if one else f"{noun}s", *verb[not one : 2 - one]]
    return " ".join(words)
