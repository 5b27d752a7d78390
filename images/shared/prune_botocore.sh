#!/bin/sh
# Removes the data of AWS services that producer and consumer do not call from an environment.
# sso, sso-oidc and signin stay for botocore itself: a profile may get its credentials from them.
set -eu
data=$(echo "$1"/lib/python3*/site-packages/botocore/data)
for service in "$data"/*/; do
  case $(basename "$service") in
    autoscaling | cloudwatch | ec2 | logs | sqs | ssm | sts) ;;
    sso | sso-oidc | signin) ;;
    *) rm -r "$service" ;;
  esac
done
