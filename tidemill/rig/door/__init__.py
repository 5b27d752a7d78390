"""Door in front of a rig's endpoints: only requests that the session's keys sign pass."""
