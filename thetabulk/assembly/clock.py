"""Time and chance: the only place where either comes from. Everything else takes them as arguments."""

import random
import time
from datetime import UTC, datetime
from uuid import uuid4

monotonic = time.monotonic
wall = time.time
sleep = time.sleep
rng = random.random


def now() -> datetime:
    """Aware, UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid4())
