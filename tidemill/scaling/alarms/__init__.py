"""CloudWatch alarms: what they evaluate, their state and its reason."""
