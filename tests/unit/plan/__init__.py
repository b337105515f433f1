"""Tests of thetabulk.plan."""
