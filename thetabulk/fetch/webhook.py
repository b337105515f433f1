"""One POST to where the user wants to hear of incidents. Not the Terminal's client: it asks nobody for data."""

import json
from collections.abc import Mapping

import aiohttp


async def post(url: str, document: Mapping[str, object], *, timeout_s: float) -> str:
    """Posts a JSON object; "" if it was taken, else why not. Never raises for what the other side does.

    The URL's path and query are a secret to us (chat services put a token there): no message repeats them. No redirects
    are followed, no proxy is taken from the environment.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.post(
                url, data=json.dumps(document), allow_redirects=False,
                headers={"Content-Type": "application/json", "User-Agent": "thetabulk"},
            ) as response,
        ):  # fmt: skip
            return "" if 200 <= response.status < 300 else f"HTTP {response.status}"
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return type(error).__name__
