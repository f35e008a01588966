#!/bin/sh
# online.sh COMMAND...: runs a build step that needs the network, with the builder's CA bundle if it gave one.
set -eu
if [ -s /run/secrets/cabundle ]; then
  export PIP_CERT=/run/secrets/cabundle SSL_CERT_FILE=/run/secrets/cabundle
fi
exec "$@"
