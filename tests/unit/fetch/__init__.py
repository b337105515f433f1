"""Tests of thetabulk.fetch."""
