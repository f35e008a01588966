#!/usr/bin/env bash
# Everything that is checked without running facewire: format, lint, types, the proto, generated code.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

echo "== format and lint"
"$bin/ruff" format --check
"$bin/ruff" check
git ls-files 'csrc/*.cpp' 'csrc/*.hpp' 'csrc/*.inl' | xargs "$bin/clang-format" --dry-run --Werror

echo "== types"
"$bin/mypy"
"$bin/mypy" --config-file pyproject.toml tests

echo "== proto"
scripts/check-proto.sh

echo "== generated code"
generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT
scripts/generate.sh "$generated"
for folder in python/facewire/v1 server/facewire_server/oip; do
    diff -r --exclude=__init__.py --exclude=__pycache__ "$generated/$folder" "$folder" || {
        echo "$folder is not what the proto generates; run: make generate" >&2
        exit 1
    }
done
echo "all checks passed"
