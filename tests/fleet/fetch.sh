#!/bin/sh
# fetch.sh FOLDER: Debian's Prometheus, node_exporter and Alertmanager, for tests that ask the real ones. They
# are unpacked into FOLDER and not installed; the node_exporter of Debian 12 (1.5.0) is the last before its
# supervisord collector was called deprecated.
set -eu

folder=$1
packages="prometheus prometheus-node-exporter prometheus-alertmanager"
for tool in apt-get dpkg; do
    command -v $tool >/dev/null || {
        echo "fetch.sh: $tool is missing, so this needs Debian or one of its kind; the tests say what they leave out" >&2
        exit 1
    }
done
mkdir -p "$folder/packages"
cd "$folder/packages"
echo "fetch.sh: downloads $packages and unpacks them into $folder; nothing is installed"
# shellcheck disable=SC2086
apt-get download $packages
for package in *.deb; do
    dpkg -x "$package" ..
done
