"""Requests of the Auto Scaling API: a user's commands to the group, and its activities."""
