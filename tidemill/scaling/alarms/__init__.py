"""CloudWatch alarms: their evaluation, their state and its reason."""
