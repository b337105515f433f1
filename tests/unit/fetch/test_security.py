"""Requests go where it was said, and nowhere else."""

import pytest

from tests.unit.fetch.raw_server import answer, in_a_loop, serving, sized
from thetabulk.config import FetchConfig
from thetabulk.fetch.client import Client
from thetabulk.model import Request

LIST = Request("/v3/option/list/symbols")


@in_a_loop
async def _asked(proxy_told: str) -> None:
    """Asks a server while another one is said to be the proxy."""
    async with serving(answer(sized(b"proxy"))) as proxy, serving(answer(sized(b"itself"))) as terminal:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("NO_PROXY", raising=False)
            patch.delenv("no_proxy", raising=False)
            patch.setenv(proxy_told, proxy.url)
            async with Client(terminal.url, FetchConfig()) as client:
                assert (await client.small(LIST)).text == "itself"
        assert proxy.heads == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_no_proxy_of_the_environment_is_asked(variable: str) -> None:
    """What goes to this machine stays on it."""
    _asked(variable)


@in_a_loop
async def test_a_request_brings_no_credentials_along(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither from a .netrc nor as a cookie that a server has set."""
    home = tmp_path_factory.mktemp("home")
    (home / ".netrc").write_text("machine 127.0.0.1 login jo password hunter2\n")
    (home / ".netrc").chmod(0o600)
    async with serving(answer(sized(b"x", "200 OK", "Set-Cookie: id=hunter2; Path=/"))) as terminal:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NETRC", str(home / ".netrc"))
            patch.setenv("HOME", str(home))
            async with Client(terminal.url, FetchConfig()) as client:
                for _ in range(2):
                    await client.small(LIST)
    assert len(terminal.heads) == 2
    for head in terminal.heads:
        assert "authorization" not in head.lower()
        assert "cookie" not in head.lower()
