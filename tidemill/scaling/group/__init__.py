"""Auto Scaling group: its instances, their lifecycle, and the rules for launch and termination."""
