"""Faults on purpose, and an oracle outside the process that suffers them (`make chaos`)."""
