"""Which Terminal may be asked: this machine's, unless it was said otherwise. Pure."""

import re
from dataclasses import dataclass

from thetabulk.errors import UsageError

_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?)"
    r":(?P<port>[0-9]{1,5})/?",
    re.IGNORECASE | re.ASCII,
)
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_EXAMPLE = "write it like http://127.0.0.1:25503"


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A base URL that may be asked, without a slash at its end. `note` is to be said to the user, if there is one."""

    text: str
    note: str = ""
    remote: bool = False

    def __str__(self) -> str:
        return self.text


def check_url(url: str, allow_remote: bool = False) -> BaseUrl:
    """`http://` and 127.0.0.1, [::1] or localhost and a port; anything else raises UsageError.

    `localhost` becomes 127.0.0.1: the Terminal refuses a mixture of both with status 476, once per its life.
    Hosts are compared as text, so that `127.0.0.1.evil`, `0x7f.1` and `[::ffff:10.0.0.1]` are what they look like: not
    this machine's plain address. `allow_remote` admits any host, and https; user, path and query never.
    """
    found = _BASE_URL.fullmatch(url.strip())
    if not found:
        raise UsageError(f"{url!r} is not the base URL of a Terminal", hint=_EXAMPLE)
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), int(found["port"])
    if not 1 <= port <= 65_535:
        raise UsageError(f"{url!r}: there is no port {port}", hint=_EXAMPLE)
    local = scheme == "http" and host in _LOOPBACK
    if not local and not allow_remote:
        reason = "https is not what a Terminal speaks" if host in _LOOPBACK else f"{host} is not this machine"
        hint = f"{_EXAMPLE}, or pass --allow-remote if requests shall really go to {scheme}://{host}:{port}"
        raise UsageError(f"{url!r}: {reason}", hint=hint)
    if local and host == "localhost":
        note = f"localhost is asked as 127.0.0.1: the Terminal refuses a mixture of both (port {port})"
        return BaseUrl(f"http://127.0.0.1:{port}", note)
    return BaseUrl(f"{scheme}://{host}:{port}", remote=not local)
