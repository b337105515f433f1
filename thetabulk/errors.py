"""Everything that can go wrong, and the exit code that says so.

    ThetabulkError                  ends the run              1  internal error, or we asked wrongly
    ├── UsageError                                            2  what was typed, or a config file, or the wrong store
    ├── DriveGone                                             4  the drive is not there, or it is another store
    ├── DiskFull                                              5
    ├── NotPermitted                                          6  permission, or read-only
    ├── AccountError                                          7  login, subscription, session taken
    │   └── SessionTaken            in mid-run only a pause   7  another login of the account has ended ours
    ├── TerminalUnavailable                                   8
    │   └── NotConnected            in mid-run only a pause   8  the Terminal is there, and has lost the vendor
    ├── StoreBusy                                             9  another run holds the store
    ├── StoreDamaged                                         10  a file is not what was saved
    └── AskedWrongly                                          1  the Terminal says that our request is wrong

    ShardError                      ends one shard; the others go on
    ├── BadAnswer                   class A: it is not the answer to our request
    └── AttemptError                one attempt; `retry` decides about the next
        ├── TerminalAnswer          the Terminal answered, with another status than 200
        └── TransferFailed          no answer, or not a whole one

Exit codes without an exception: 0 complete, 3 finished but days failed, 11 stopped as asked,
129/130/143 signals. Where several apply, `worst` says which one is told.
"""

from collections.abc import Iterable

from thetabulk.redaction import without_accounts, without_secrets


class ThetabulkError(Exception):
    """Ends the run: what is wrong, and in `hint` what to do. What looks like a secret is taken out of both."""

    exit_code = 1

    def __init__(self, what: str, *, hint: str = "") -> None:
        self.what = without_secrets(what)
        self.hint = without_secrets(hint)
        super().__init__(self.what)


class UsageError(ThetabulkError):
    exit_code = 2


class DriveGone(ThetabulkError):
    exit_code = 4


class DiskFull(ThetabulkError):
    exit_code = 5


class NotPermitted(ThetabulkError):
    exit_code = 6


class AccountError(ThetabulkError):
    exit_code = 7


class SessionTaken(AccountError):
    """Another login of the account has ended the Terminal's session (478, UNVERIFIED, ACCOUNT_ALREADY_CONNECTED)."""


class TerminalUnavailable(ThetabulkError):
    exit_code = 8


class NotConnected(TerminalUnavailable):
    """The Terminal answers, and has no connection to the vendor's servers (474, 571)."""


class StoreBusy(ThetabulkError):
    exit_code = 9


class StoreDamaged(ThetabulkError):
    exit_code = 10


class AskedWrongly(ThetabulkError):
    exit_code = 1


class ShardError(Exception):
    """Ends one shard. `kind` is one word (or two with a hyphen) for the ledger, the message is for a person.

    It may repeat the vendor's words: what looks like a secret or an account is taken out.
    """

    kind = "failed"

    def __init__(self, message: str, *, kind: str = "") -> None:
        super().__init__(without_accounts(message))
        if kind:
            self.kind = kind


class BadAnswer(ShardError):
    """Class A: the body is not the answer to our request, and is never kept as data.

    `kind` is one of header, row, field, day, symbol, cut, text, oversize, empty-body, inexact.
    """

    kind = "bad-answer"


class AttemptError(ShardError):
    kind = "attempt"


class TerminalAnswer(AttemptError):
    """The Terminal answered with a status other than 200 (or with its no-data text under 200).

    `text` is what it said, word for word: for the judge, not for a person. `means` is what the vendor profile has
    learned of this answer: "empty", "refused", or "".
    """

    kind = "answer"

    def __init__(self, status: int, text: str, *, retry_after: str = "", path: str = "", means: str = "") -> None:
        first_line = text.strip().splitlines()[0][:200] if text.strip() else "(no text)"
        super().__init__(f"HTTP {status}: {first_line}", kind=f"http-{status}")
        self.status = status
        self.text = text
        self.retry_after = retry_after
        self.path = path
        self.means = means


class TransferFailed(AttemptError):
    """No answer, or not a whole one. `kind` is one of unreachable, dropped, cut, stalled, slept, protocol."""

    kind = "transfer"


_PRIORITY = (2, 9, 4, 6, 5, 7, 8, 1, 11, 3, 10)  # 1: what ended by a mistake has neither finished nor stopped as asked


def worst(codes: Iterable[int]) -> int:
    """The exit code to tell where several apply: signal > 2 > 9 > 4 > 6 > 5 > 7 > 8 > 11 > 3 > 0."""
    found = set(codes) - {0}
    signals = sorted((code for code in found if code > 128), reverse=True)
    if signals:
        return signals[0]
    return next((code for code in _PRIORITY if code in found), 0)
