#!/bin/sh
# Removes the data of AWS services that producer and consumer do not call from an environment.
set -eu
data=$(echo "$1"/lib/python3*/site-packages/botocore/data)
for service in "$data"/*/; do
  case $(basename "$service") in
    autoscaling | cloudwatch | ec2 | logs | sqs | ssm | sts) ;;
    *) rm -r "$service" ;;
  esac
done
