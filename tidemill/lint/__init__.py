"""Finds in a template what bites queue fleets, before AWS does."""
