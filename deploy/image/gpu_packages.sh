#!/bin/sh
# gpu_packages.sh: installs Intel's OpenCL driver; writes the names of the packages that came with it to standard output.
set -eu
installed() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort -u; }
before=$(mktemp)
installed > "$before"
{
  apt-get update
  apt-get install -y --no-install-recommends intel-opencl-icd
  rm -rf /var/lib/apt/lists/* /var/cache/apt/*
} >&2
installed | comm -13 "$before" -
rm "$before"
