"""The processes beside us: the simulator of a demo today, the Java Terminal when it is supervised."""
