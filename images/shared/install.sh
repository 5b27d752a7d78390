#!/bin/sh
# Installs an image's packages into a Python environment: install.sh REQUIREMENTS FOLDER
set -eu
requirements=$1 folder=$2

# Only packages with the pinned hashes, and no cache of pip's.
python3 -m venv "$folder"
"$folder/bin/pip" install --no-cache-dir --disable-pip-version-check \
  --require-hashes --requirement "$requirements"

# The image needs neither pip nor the scripts of packages and of the environment, only python3.
"$folder/bin/python" -m pip uninstall --quiet --yes --disable-pip-version-check pip
find "$folder/bin" -mindepth 1 ! -type l -delete
rm -rf "$folder/include" "$folder/.gitignore"

# Nor does it need the tests that some packages bring along.
find "$folder"/lib/python3*/site-packages -type d -name tests -prune -exec rm -r {} +

# botocore contains data of every AWS service; our programs call few of them. sso, sso-oidc and
# signin stay: botocore itself calls them when a profile gets credentials there.
data=$(echo "$folder"/lib/python3*/site-packages/botocore/data)
for service in "$data"/*/; do
  case $(basename "$service") in
    autoscaling | cloudwatch | dynamodb | ec2 | logs | sqs | ssm | sts) ;;
    sso | sso-oidc | signin) ;;
    *) rm -r "$service" ;;
  esac
done
