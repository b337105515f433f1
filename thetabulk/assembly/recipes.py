"""What a Terminal is started with: Java, its jar, the credentials file, each looked at before."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from thetabulk.config import TerminalConfig
from thetabulk.errors import AccountError, TerminalUnavailable, ThetabulkError, worst
from thetabulk.terminal import credentials, jar, java
from thetabulk.terminal.command import API_KEY
from thetabulk.terminal.host import Recipe


def jar_path(config: TerminalConfig, home: Path) -> Path:
    """The configured jar, or the one in the home folder or its `thetadata`; where none is, where `fetch` puts it.

    Not the folder one stands in: that may be anybody's drive, and what is found here is run.
    """
    if config.jar:
        return Path(config.jar).expanduser().absolute()
    return jar.find([home, home / "thetadata"]) or home / "thetadata" / jar.NAME


def recipe_of(config: TerminalConfig, environment: Mapping[str, str], home: Path, state: Path) -> Recipe:
    """What a Terminal is started with, looked at before. TerminalUnavailable or AccountError with the fix; if several
    things are lacking, all of them at once."""
    path = jar_path(config, home)
    lacking: list[ThetabulkError] = []
    with _noted(lacking):
        java_path = _java_of(config, environment)
    with _noted(lacking):
        _check_jar(path, state)
    with _noted(lacking):
        creds = _creds_of(config, path, environment)
    if lacking:
        raise _together(lacking)
    return Recipe(java_path, path, creds, config.java_options, first_time=not jar.builds(path))


@contextmanager
def _noted(lacking: list[ThetabulkError]) -> Iterator[None]:
    try:
        yield
    except ThetabulkError as error:
        lacking.append(error)


def _together(lacking: Sequence[ThetabulkError]) -> ThetabulkError:
    """One error for all: each with its fix, and the exit code that counts most."""
    if len(lacking) == 1:
        return lacking[0]
    code = worst(error.exit_code for error in lacking)
    kind = AccountError if code == AccountError.exit_code else TerminalUnavailable
    numbered = [f"{number}. {error.what}" for number, error in enumerate(lacking, 1)]
    hints = [f"{number}. {error.hint}" for number, error in enumerate(lacking, 1) if error.hint]
    return kind("\n".join([f"{len(lacking)} things are lacking for a start:", *numbered]), hint="\n".join(hints))


def _java_of(config: TerminalConfig, environment: Mapping[str, str]) -> Path:
    configured = Path(config.java) if config.java else None
    found = java.find(configured, environment=environment, needed=config.java_needed)
    newer = f"install Java {config.java_needed} or newer (https://adoptium.net), or: --java PATH"
    if found is None:
        raise TerminalUnavailable("there is no Java on this machine, and the Terminal needs one", hint=newer)
    if found.version is None:
        raise TerminalUnavailable(f"{found.path} is no Java that works: {found.text}", hint=newer)
    if not found.is_enough(config.java_needed):
        raise TerminalUnavailable(
            f"{found.path} is Java {found.version}, and the Terminal needs {config.java_needed} or newer", hint=newer
        )
    return found.path


def trust_jar(config: TerminalConfig, home: Path, state: Path) -> None:
    """The jar as it is now is the right one: its owner says so. TerminalUnavailable if there is no whole one."""
    path = jar_path(config, home)
    with _looked_at(path):
        jar.trust(state, path, jar.sha256(path))


@contextmanager
def _looked_at(path: Path) -> Iterator[None]:
    """Inside the block a jar is there, and whole; what goes wrong is told with its fix."""
    try:
        jar.version(path)
        yield
    except FileNotFoundError:
        raise TerminalUnavailable(
            f"there is no Terminal at {path}",
            hint="`thetabulk terminal fetch` brings it; --jar PATH names another place",
        ) from None
    except OSError as error:
        raise TerminalUnavailable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TerminalUnavailable(str(error), hint="`thetabulk terminal fetch --replace` brings a whole one") from error


def _check_jar(path: Path, state: Path) -> None:
    with _looked_at(path):
        pin = jar.check(state, path)
    if pin.standing == "changed":
        raise TerminalUnavailable(
            f"{path} is not the jar that was used before: its hash was {pin.known}, and is {pin.sha256}",
            hint="if it was you: thetabulk terminal start --trust-jar; else do not run it",
        )


def _creds_of(config: TerminalConfig, path: Path, environment: Mapping[str, str]) -> Path | None:
    """The credentials file, or None if the Terminal logs in by the API key in its environment."""
    file = Path(config.credentials).expanduser().absolute() if config.credentials else path.parent / credentials.NAME
    facts = credentials.examine(file)
    if facts.kind == "missing" and not config.credentials and environment.get(API_KEY):
        return None
    problem = {
        "missing": "is not there", "link": "is a link", "other": "is no file", "unreadable": "cannot be read",
    }.get(facts.kind, "")  # fmt: skip
    if problem:
        raise AccountError(
            f"the credentials file {file} {problem}",
            hint="two lines, e-mail address, password; chmod 600 (or THETADATA_API_KEY)",
        )
    if facts.lines != 2:
        raise AccountError(f"{file} does not have two lines", hint="line 1: e-mail address; line 2: password")
    if not facts.private:
        raise AccountError(f"other users may read {file}", hint=f"chmod 600 {file}")
    return file
