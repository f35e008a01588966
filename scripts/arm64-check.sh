#!/usr/bin/env bash
# Cross-builds the native core and its tests for arm64, with warnings as errors, and runs them in qemu: the NEON
# kernels are tested without an arm64 machine. Arguments go to the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:$PWD/.venv/bin"
for tool in aarch64-linux-gnu-g++ qemu-aarch64 cmake ninja; do
    if ! command -v "$tool" >/dev/null; then
        echo "arm64-check: $tool is missing; install g++-aarch64-linux-gnu, qemu-user, cmake and ninja-build" >&2
        exit 1
    fi
done
cmake -S . -B build/arm64 -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux \
    -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
    -DFACEWIRE_PYTHON=OFF -DFACEWIRE_TESTS=ON -DFACEWIRE_WERROR=ON >/dev/null
cmake --build build/arm64 --target facewire_tests
qemu-aarch64 -L /usr/aarch64-linux-gnu build/arm64/facewire_tests "$@"
