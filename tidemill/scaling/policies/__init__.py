"""Scaling policies: the desired capacity that an alarm, a schedule or a user asks for."""
