"""Tests of thetabulk.run."""
