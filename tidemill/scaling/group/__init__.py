"""The Auto Scaling group: instances, their lifecycle, and the way to the desired capacity."""
