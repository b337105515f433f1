"""`doctor --wait`: until nothing about the Terminal is wrong any more, or the patience is over."""

from collections.abc import Callable

from thetabulk.assembly import clock
from thetabulk.assembly.doctor.answers import golden_finding, status_finding
from thetabulk.assembly.doctor.talk import Talk, talk
from thetabulk.config import Config
from thetabulk.fetch.url import check_url
from thetabulk.report.findings import Finding, Level


def wait_for_terminal(
    config: Config, *, tell: Callable[[Finding], None], golden: bool, ask: Callable[..., Talk] = talk,
    sleep: Callable[[float], None] = clock.sleep, now: Callable[[], float] = clock.monotonic,
) -> bool:  # fmt: skip
    """Asks again and again; True when nothing is wrong, False when `doctor.wait_s` is over. `tell` gets what is wrong,
    each time that it is something else. UsageError for a URL that may not be asked.

    The status is asked gently and evenly. Where data fail, which costs the account a request, ever more rarely.
    """
    url = str(check_url(config.terminal.url, config.terminal.allow_remote))
    settings = config.doctor
    until, pause_s, told = now() + settings.wait_s, settings.poll_first_s, ""
    while True:
        said = ask(config, url, golden=golden)
        wrong = terminal_problem(said, config)
        if wrong is None:
            return True
        if wrong.text != told:
            told = wrong.text
            tell(wrong)
        if said.golden is not None:
            pause_s = min(2 * pause_s, settings.poll_max_s)
        if now() + pause_s > until:
            return False
        sleep(pause_s)


def terminal_problem(said: Talk, config: Config) -> Finding | None:
    """The problem with what the Terminal says, if there is one."""
    found = (status_finding(said), golden_finding(said, config.doctor))
    return next((each for each in found if each is not None and each.level is Level.PROBLEM), None)
