"""CloudWatch metric math: expressions over series of datapoints."""
