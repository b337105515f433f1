"""Which base URLs may be asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.errors import UsageError
from thetabulk.fetch.url import check_url


@pytest.mark.parametrize("url", ["http://127.0.0.1:25503", "http://127.0.0.1:25503/", " HTTP://127.0.0.1:25503 "])
def test_this_machine_may_be_asked(url: str) -> None:
    """With or without a slash at the end."""
    checked = check_url(url)
    assert (checked.text, checked.note, checked.remote) == ("http://127.0.0.1:25503", "", False)
    assert check_url("http://[::1]:80").text == str(check_url("http://[::1]:80")) == "http://[::1]:80"


def test_localhost_becomes_its_number_and_that_is_said() -> None:
    """The Terminal refuses a mixture of both."""
    checked = check_url("http://LocalHost:25503")
    assert checked.text == "http://127.0.0.1:25503"
    assert "localhost" in checked.note
    assert check_url("http://localhost:1", allow_remote=True).text == "http://127.0.0.1:1"


REMOTE = [
    "http://127.0.0.1.evil:25503",
    "http://127.0.0.1.nip.io:80",
    "http://0x7f.1:25503",
    "http://2130706433:25503",
    "http://0177.0.0.1:25503",
    "http://127.1:25503",
    "http://127.0.0.2:25503",
    "http://0.0.0.0:25503",
    "http://[::ffff:10.0.0.1]:25503",
    "http://[::ffff:127.0.0.1]:25503",
    "http://[::]:25503",
    "http://localhost.localdomain:25503",
    "http://nas:25503",
    "http://192.168.1.20:25503",
    "https://127.0.0.1:25503",
]


@pytest.mark.parametrize("url", REMOTE)
def test_another_machine_needs_allow_remote(url: str) -> None:
    """Also one that looks like this one; the hint names the flag."""
    with pytest.raises(UsageError) as caught:
        check_url(url)
    assert "--allow-remote" in caught.value.hint
    checked = check_url(url, allow_remote=True)
    assert (checked.text, checked.remote) == (url, True)


NEVER = [
    "",
    "127.0.0.1:25503",
    "//127.0.0.1:25503",
    "http://127.0.0.1",
    "http://127.0.0.1:",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:٢٥",
    "http://127.0.0.1:25503/v3",
    "http://127.0.0.1:25503//",
    "http://127.0.0.1:25503?x=1",
    "http://127.0.0.1:25503#x",
    "http://127.0.0.1@evil:80",
    "http://user:secret@127.0.0.1:25503",
    "http://127.0.0.1:25503@evil:80",
    "http://127.0.0.1:25503\\@evil:80",
    "http://127.0.0.1%00:25503",
    "http://127.0.0.1:25503\r\nHost: evil",
    "http://evil\t:80",
    "http://１２７.0.0.1:25503",
    "http://127。0。0。1:25503",
    "http://[::1:25503",
    "http://[::1%25eth0]:25503",
    "http://-evil:80",
    "ftp://127.0.0.1:21",
    "file:///etc/passwd",
    "unix:///run/x.sock",
]


@pytest.mark.parametrize("url", NEVER)
@pytest.mark.parametrize("allow_remote", [False, True])
def test_what_is_no_base_url_is_never_asked(url: str, allow_remote: bool) -> None:
    """No user, no path, no query, no other scheme; no flag helps, so none is named."""
    with pytest.raises(UsageError) as caught:
        check_url(url, allow_remote)
    assert caught.value.exit_code == 2
    assert "--allow-remote" not in caught.value.hint


@given(st.text(max_size=40) | st.text("http://127.0.0.1:25503@[]localhost", max_size=40))
def test_without_the_flag_nothing_but_this_machine_comes_out(url: str) -> None:
    """Whatever is typed."""
    try:
        checked = check_url(url)
    except UsageError:
        return
    assert checked.text.startswith(("http://127.0.0.1:", "http://[::1]:"))
    assert not checked.remote
