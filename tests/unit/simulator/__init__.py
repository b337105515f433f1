"""Tests of thetabulk.simulator."""
