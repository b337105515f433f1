"""A whole run in virtual time: the real plan, pipeline, walk, gate, limit, breaker, retry, fetcher, recording, store
and ledger, over a clock, a Terminal and a drive that are made up. The same seed is the same run, to the last byte."""
