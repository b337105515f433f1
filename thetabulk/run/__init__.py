"""The run: which day comes next, and every day through fetch, record and emit."""
