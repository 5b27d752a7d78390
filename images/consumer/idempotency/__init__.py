"""Idempotency: a table remembers which messages were processed, so that copies are not handled."""
