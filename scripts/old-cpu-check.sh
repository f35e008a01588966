#!/usr/bin/env bash
# Runs the C++ tests on an emulated processor without AVX: a stray AVX instruction in the baseline would end them with
# SIGILL, which is what users of old boxes see of other face servers.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v qemu-x86_64 > /dev/null || { echo "qemu-x86_64 is missing: apt-get install qemu-user" >&2; exit 1; }
PATH="$PWD/.venv/bin:$PATH"
cmake -S . -B build/old-cpu -G Ninja -DCMAKE_BUILD_TYPE=Release -DFACEWIRE_PYTHON=OFF -DFACEWIRE_TESTS=ON \
    -DFACEWIRE_WERROR=ON > /dev/null
cmake --build build/old-cpu > /dev/null
qemu-x86_64 -cpu Nehalem build/old-cpu/facewire_tests
