#!/bin/bash
# build_wheel.sh FOLDER: puts the wheel of the package alone into the folder, with the extension and
# the library of build/release (the preset `release` made that; nothing is compiled twice), stripped.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "$1"
rm -f "$1"/tusk_lake-*.whl
exec .venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
  --no-build-isolation --config-settings=build-dir=build/release --wheel-dir "$1" .
