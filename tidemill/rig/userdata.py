"""What a rig's consumers are given comes from user data, as everybody else reads it."""

from __future__ import annotations

from tidemill.userdata import container_environment

__all__ = ["container_environment"]
