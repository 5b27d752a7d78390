"""Requests of the Auto Scaling API: what a user may ask of the group, and what follows."""
