"""Checks that send messages or change the group, and the one that deletes the stack."""
