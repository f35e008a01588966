#!/usr/bin/env bash
# Builds the native core and its tests with warnings as errors and the address and undefined-behaviour
# sanitizers, and runs the tests. Arguments go to the tests: part of a name runs the tests that contain it.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:$PWD/.venv/bin" # cmake and ninja of the machine first, else those of the virtual environment
cmake -S . -B build/sanitize -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFACEWIRE_PYTHON=OFF \
    -DFACEWIRE_TESTS=ON -DFACEWIRE_WERROR=ON -DFACEWIRE_SANITIZE=ON >/dev/null
cmake --build build/sanitize --target facewire_tests
UBSAN_OPTIONS=print_stacktrace=1 build/sanitize/facewire_tests "$@"
