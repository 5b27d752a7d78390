"""Pacing: the choice of the turns that a simulation takes."""
