"""A Terminal of thirty lines, which serves one body, whatever is asked for: for answers that no simulator makes up."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from thetabulk.model import Contract


def contract_list(symbol: str, contracts: Iterable[Contract]) -> bytes:
    """As `list/contracts/quote` answers."""
    lines = [f"{symbol},{c.expiration},{c.strike_mills / 1000:.3f},{c.right.upper()}\n" for c in contracts]
    return "".join(["symbol,expiration,strike,right\n", *lines]).encode()


@contextmanager
def vendor(symbol: str, body: bytes, listed: bytes, *, status: int = 200) -> Iterator[str]:
    """Serves `body` (with this status) for every request of history, `listed` for the list of contracts. Gives the
    URL."""
    small = {
        "/v3/terminal/mdds/status": b"CONNECTED",
        "/v3/option/list/symbols": f"symbol\n{symbol}\n".encode(),
        "/v3/option/list/contracts/quote": listed,
    }

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            found = small.get(path, body)
            self.send_response(200 if path in small else status)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
