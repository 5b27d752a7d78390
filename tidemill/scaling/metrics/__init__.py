"""CloudWatch metrics: datapoints, statistics, and what SQS and the signal function publish."""
