"""How little a run needs to see that there is nothing to do."""

import sys
from collections.abc import Callable
from pathlib import Path

from tests.integration.commands import process
from tests.integration.serving import Served

HEAVY = ("duckdb", "numpy", "pandas", "pyarrow")
_CODE = (
    "import sys\nfrom thetabulk.cli.app import main\ncode = main()\n"
    f"print('imported:', *(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)\nsys.exit(code)"
)
_TELLING = (sys.executable, "-c", _CODE)


def test_a_resume_with_nothing_to_fetch_does_without_the_large_libraries(
    tmp_path: Path, simulator: Callable[..., Served]
) -> None:
    """They took more than half of its second; the download before it needs them, so that they would be seen."""
    home, store = tmp_path / "home", tmp_path / "s"
    where = ("--store", store, "--url", simulator().url, "--json")
    span = ("--from", "2024-07-29", "--to", "2024-08-02", "--interval", "1h")
    with process("download", "QQQ", *span, *where, home=home, command=_TELLING) as download:
        first = download.ended()
    with process("resume", *where, home=home, command=_TELLING) as resume:
        second = resume.ended()
    assert (first.code, second.code) == (0, 0)
    assert first.counts == second.counts == {"saved": 5, "proven": 5}
    assert {"numpy", "pyarrow"} <= set(first.err.splitlines()[-1].split())
    assert second.err.splitlines()[-1] == "imported:"
