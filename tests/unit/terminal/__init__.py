"""Tests of thetabulk.terminal."""
