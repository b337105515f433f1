"""What the figures were measured on. No name of a host or a person."""

import os
import platform
import re
from importlib import metadata
from pathlib import Path

_LIBRARIES = ("aiohttp", "duckdb", "numpy", "pyarrow", "rich", "typer", "xxhash", "zstandard")


def describe(scratch: Path) -> dict[str, object]:
    """Processor, memory, system, the file system of the scratch folder, Python and the libraries that matter."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(_memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "filesystem": _filesystem(scratch),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }


def load() -> float:
    """How many processes wanted a processor in the last minute: a busy machine measures badly."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _filesystem(path: Path) -> str:
    """The kind of the deepest mount above the path; "" where the system does not tell."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    mounts = [(Path(fields[1]), fields[2]) for fields in (line.split(" ") for line in lines)]
    above = [(len(place.parts), kind) for place, kind in mounts if path.resolve().is_relative_to(place)]
    return max(above, default=(0, ""))[1]
