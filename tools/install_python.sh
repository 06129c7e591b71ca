#!/bin/bash
# Installs the package in .venv so that it runs from the sources here, with the extension and the
# library of build/release (the preset `release` made that; nothing is compiled twice). Needs to run
# again after a change of C++ code, not of Python code.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
  --no-build-isolation --config-settings=build-dir=build/release --editable .
