"""The whole program against the simulator: settings, command line, run, store."""
