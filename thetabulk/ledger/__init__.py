"""The memory of outcomes: one checksummed line each, and what to do when disk and memory differ."""
