#!/usr/bin/env bash
# Writes the checked-in Python code of proto/ anew. The pinned grpcio-tools is the oldest we support: generated
# code refuses protobuf runtimes older than the one it was made for, and accepts the next major version.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${FACEWIRE_PROTO_VENV:-.venv-proto}
pinned="grpcio-tools==1.72.2 mypy-protobuf==3.6.0"
if [ ! -f "$tools/pinned" ] || [ "$(cat "$tools/pinned")" != "$pinned" ]; then
    python3 -m venv "$tools"
    # shellcheck disable=SC2086 # two words, two requirements
    "$tools/bin/pip" install --quiet $pinned setuptools'<81'
    echo "$pinned" > "$tools/pinned"
fi
generate() { # OUT FILE...
    local out=$1
    shift
    PATH="$PWD/$tools/bin:$PATH" "$tools/bin/python" -W ignore -m grpc_tools.protoc -Iproto \
        --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" --mypy_grpc_out=quiet:"$out" "$@"
}
generate python proto/facewire/v1/*.proto
generate server proto/facewire_server/oip/*.proto
