"""A Dockerfile as instructions: enough of it to see what ours says, and to do it without a daemon. Pure."""

import json
import re
import shlex
from dataclasses import dataclass

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line, continuation lines joined: `word` is RUN, COPY, …, `rest` what stands behind it."""

    word: str
    rest: str

    @property
    def list(self) -> list[str]:
        """The exec form: `["tini", "--"]`."""
        return [str(each) for each in json.loads(self.rest[self.rest.index("[") :])]

    def pairs(self, known: dict[str, str]) -> dict[str, str]:
        """Of ENV and ARG: names with their values, `$NAME` replaced by what is known."""
        words = (each.partition("=") for each in shlex.split(self.rest))
        return {name: filled(value, known) for name, _, value in words}


def filled(text: str, known: dict[str, str]) -> str:
    """The text with `$NAME` and `${NAME}` replaced by what is known."""
    return _VARIABLE.sub(lambda found: known.get(found["braced"] or found["bare"], ""), text)


def stages(text: str) -> list[list[Instruction]]:
    """The instructions of each stage, FROM first."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append(Instruction(word, rest.strip()))
    return found
