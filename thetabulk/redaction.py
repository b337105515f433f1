"""What looks like a secret is taken out of a text before anybody sees or keeps it. Pure.

Every error does this to its own words (errors.py), because these may repeat the vendor's, or what somebody has typed.
Rather a word too many than a part of a password: what follows its name goes up to the next blank.
"""

import re

INSTEAD = "…"
_SECRETS = re.compile(
    r"(?<=://)\S+(?=@)"  # the user and password of a URL
    r"|\btd1_[\w-]+"  # the vendor's API keys (thetadata-v3.md §4.1)
    r"|(?P<name>(?:password|passwd|token|api[_-]?key|secret)[\w-]*[\"']?\s*[=:]\s*)\S+"
    r"|(?P<scheme>authorization[\"']?\s*[=:]\s*(?:\w+\s+)?)\S+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")


def without_secrets(text: str) -> str:
    """Without passwords, tokens, keys and the user of a URL; their names stay, so that one sees what it was."""
    return _SECRETS.sub(lambda found: f"{found['name'] or found['scheme'] or ''}{INSTEAD}", text)


def without_accounts(text: str) -> str:
    """Foreign text: without secrets, and without e-mail addresses, which are the names of accounts.

    Not for our own messages: a folder may be called after an address, and has to be found again.
    """
    return _ADDRESS.sub(INSTEAD, without_secrets(text))
