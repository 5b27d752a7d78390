"""Handlers of the soak test."""
