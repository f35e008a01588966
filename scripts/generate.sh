#!/usr/bin/env bash
# Writes the checked-in Python code of proto/ anew, below the folder given (default: here).
# The pinned grpcio-tools is the oldest we support: generated code refuses protobuf runtimes older than the one it
# was made for, and accepts the next major version.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${1:-.}
tools=.venv-proto
pinned="grpcio-tools==1.72.2 mypy-protobuf==3.6.0 setuptools<81"
if [ "$(cat "$tools/pinned" 2> /dev/null)" != "$pinned" ]; then
    python3 -m venv "$tools"
    # shellcheck disable=SC2086 # three words, three requirements
    "$tools/bin/pip" install --disable-pip-version-check --quiet $pinned
    echo "$pinned" > "$tools/pinned"
fi

protoc() { # OUT OPTION... FILE...
    mkdir -p "$1"
    PATH="$PWD/$tools/bin:$PATH" "$tools/bin/python" -W ignore -m grpc_tools.protoc -Iproto "${@:2}"
}
messages() { protoc "$1" --python_out="$1" --pyi_out="$1" "${@:2}"; }
services() { protoc "$1" --grpc_python_out="$1" --mypy_grpc_out=quiet:"$1" "${@:2}"; }

api=proto/facewire/v1
messages "$root/python" $api/*.proto
services "$root/python" $api/admin.proto $api/gallery.proto $api/generative.proto $api/liveness.proto $api/recognition.proto $api/stream.proto
messages "$root/server" proto/facewire_server/oip/open_inference.proto
services "$root/server" proto/facewire_server/oip/open_inference.proto
