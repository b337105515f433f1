"""How the parts are wired for a run."""
