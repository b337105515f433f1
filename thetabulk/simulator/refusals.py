"""Answers other than data, in the Terminal's words as far as they have been seen (thetadata-v3.md §2)."""

NO_DATA = "No data found for your request"

STATUS_TEXTS = {
    400: "Invalid request", 403: "Forbidden", 404: "Not Found", 410: "Gone", 429: "Too many requests",
    470: "General error", 471: "Permission denied", 472: NO_DATA, 473: "Invalid parameters",
    474: "Connection lost to Theta Data MDDS. Reconnecting…", 475: "Terminal parsing error", 476: "Wrong IP",
    477: "No page found",
    478: "Invalid session ID. This can occur if more than one terminal is running. "
    "If restarting your terminal does not resolve this issue, contact support.",
    500: "Internal server error: io.grpc.StatusRuntimeException: UNAVAILABLE", 502: "Bad Gateway",
    503: "Service Unavailable", 570: "Large request: split it into smaller ones", 571: "The server is starting",
    572: "Uncaught error",
}  # fmt: skip

NOT_FOUND = """<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<title>Error 404 Not Found</title>
</head>
<body><h2>HTTP ERROR 404</h2>
<p>Problem accessing {path}. Reason:
<pre>    Not Found</pre></p>
</body>
</html>
"""
UPGRADED = (
    "We have upgraded to API v3. Please use API v3 {what}.\n{names}"
    "Consult API v3 documentation for more information: https://docs.thetadata.us/"
)
PORTAL = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to the network</body></html>\n"


class Refusal(Exception):
    """An answer other than 200, with its text."""

    def __init__(self, status: int, text: str, content_type: str = "text/plain") -> None:
        super().__init__(f"{status}: {text}")
        self.status, self.text, self.content_type = status, text, content_type


def substitute(name: str, header: str) -> tuple[int, str, str]:
    """Status, text and content type of the answer that a fault of this name (or a status) puts in the data's place."""
    bodies = {
        "html": (200, PORTAL, "text/html"),
        "text": (200, NO_DATA, "text/plain"),
        "empty": (200, "", "text/csv"),
        "header-only": (200, header, "text/csv"),
        "false472": (472, NO_DATA, "text/plain"),
    }
    if name in bodies:
        return bodies[name]
    return int(name), STATUS_TEXTS.get(int(name), "Error"), "text/plain"
