#!/bin/sh
# Builds each stand-in as a Debian and as an RPM package, both kinds of repository in one folder,
# and signs the agent's packages as AWS does.
set -eu
cd /srv/machine
packages=/srv/packages
mkdir -p $packages

# Arguments: the folder with the installed files, the package's names in Debian and in Amazon Linux.
build() {
  chmod -R a+rX,u+w "$1"
  find "$1" -path '*/bin/*' -type f ! -name CWAGENT_VERSION -exec chmod 755 {} +
  mkdir -p "$1/DEBIAN"
  cat >"$1/DEBIAN/control" <<CONTROL
Package: $2
Version: 99:1.0
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: a stand-in
CONTROL
  dpkg-deb --root-owner-group --build "$1" "$packages/$2.deb"
  rm -r "$1/DEBIAN"
  cat >"/tmp/$3.spec" <<SPEC
Name: $3
Version: 1.0
Release: 1
Summary: a stand-in
License: none
BuildArch: noarch
AutoReqProv: no
%description
A stand-in.
%install
cp -a /srv/machine/$1/. %{buildroot}
%files
$(find "$1" -type f -printf '/%P\n')
$(find "$1" -type d -empty -printf '%%dir /%P\n')
SPEC
  rpmbuild --quiet -bb --define "_rpmdir $packages" --define '_build_name_fmt %%{NAME}.rpm' \
    "/tmp/$3.spec"
}

# git keeps no empty folder
mkdir -p agent/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d
build agent amazon-cloudwatch-agent amazon-cloudwatch-agent
build docker docker.io docker
build aws awscli awscli-2
build helper amazon-ecr-credential-helper amazon-ecr-credential-helper

cd $packages
dpkg-scanpackages --multiversion . >Packages
createrepo_c --quiet .

GNUPGHOME=$(mktemp -d)
export GNUPGHOME
for signer in agent stranger; do
  gpg --batch --quiet --passphrase '' --quick-generate-key "$signer@example.com" rsa2048 sign never
  gpg --batch --export --armor "$signer@example.com" >"$signer.gpg"
  gpg --batch --with-colons --list-keys "$signer@example.com" |
    sed -n '/^fpr/s/[^0-9A-F]//gp' >"$signer.fingerprint"
  gpg --batch --local-user "$signer@example.com" --detach-sign \
    --output "$signer.sig" amazon-cloudwatch-agent.deb
done
gpgconf --kill all
