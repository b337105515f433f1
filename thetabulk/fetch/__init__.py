"""One request at a time, made well: what answers mean, how many may be in flight, when to try again."""
