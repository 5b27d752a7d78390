"""Pacing: which turns of the loop a simulation takes."""
