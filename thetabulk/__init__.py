"""Years of US options history from a ThetaData account onto a drive, and the proof that they are complete."""

__version__ = "0.1.0"
