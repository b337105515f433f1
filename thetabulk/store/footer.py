"""What a stored day's file says about itself."""

import base64
import json
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import zstandard

from thetabulk.store.style import Style

FOOTER_KEY = b"thetabulk"


@dataclass(frozen=True, slots=True)
class Footer:
    """What a file says about itself, beside its columns. `order` is the place at which each stored row arrived, where
    that was another order than the stored one."""

    dataset: str
    selection: str
    symbol: str
    day: str
    request: str
    style: Style
    vendor_bytes: int
    vendor_xxh3: str
    content: str
    rows: int
    contracts: int
    prices: str
    order: npt.NDArray[np.int64] | None = field(default=None, compare=False)

    def to_json(self) -> str:
        fields: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        fields |= {"style": json.loads(self.style.to_json()), "order": _packed(self.order)}
        fields |= {"version": 1, "times": "New York wall clock"}
        return json.dumps(fields, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Footer":
        fields = json.loads(text)
        style = Style.from_json(json.dumps(fields.pop("style")))
        order = _unpacked(fields.pop("order"))
        return cls(**{name: fields[name] for name in cls.__slots__ if name in fields}, style=style, order=order)


def _packed(order: npt.NDArray[np.int64] | None) -> str:
    if order is None:
        return ""
    steps = np.diff(order.astype("<i4"), prepend=np.int32(0))
    return base64.b64encode(zstandard.ZstdCompressor(level=9).compress(steps.astype("<i4").tobytes())).decode()


def _unpacked(text: str) -> npt.NDArray[np.int64] | None:
    if not text:
        return None
    steps = np.frombuffer(zstandard.ZstdDecompressor().decompress(base64.b64decode(text)), dtype="<i4")
    order = np.cumsum(steps, dtype=np.int64)
    if not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ValueError("the footer's order of arrival is none")
    return order
