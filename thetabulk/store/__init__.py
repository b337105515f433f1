"""The drive: where a day lies, how it gets there whole, and what is in it."""
