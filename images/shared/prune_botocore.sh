#!/bin/sh
# Removes from a Python environment botocore's data of all services that our programs do not call.
# sso, sso-oidc and signin stay: botocore itself calls them when a profile gets credentials there.
set -eu
data=$(echo "$1"/lib/python3*/site-packages/botocore/data)
for service in "$data"/*/; do
  case $(basename "$service") in
    autoscaling | cloudwatch | ec2 | logs | sqs | ssm | sts) ;;
    sso | sso-oidc | signin) ;;
    *) rm -r "$service" ;;
  esac
done
