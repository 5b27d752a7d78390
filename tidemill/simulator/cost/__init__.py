"""Costs of a run: quantities and prices."""
