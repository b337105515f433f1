"""A stand-in for Theta Terminal v3: no account, no Java, the same bytes on every machine, and failures on cue."""
