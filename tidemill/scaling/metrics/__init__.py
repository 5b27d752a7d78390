"""CloudWatch metrics: datapoints, statistics, and the metrics of SQS and of the fast signal."""
