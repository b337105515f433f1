"""What is wanted: the catalogue of datasets, the trading days, and the plan made of both."""
