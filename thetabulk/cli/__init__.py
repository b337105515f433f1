"""One command per file: flags -> config -> assembly -> exit code."""
