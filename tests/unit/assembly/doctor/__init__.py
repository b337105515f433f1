"""Tests of thetabulk.assembly.doctor."""
