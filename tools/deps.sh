#!/bin/bash
# Installs what the build, the demo and the tests need on Debian 12: system packages (only those
# that are missing, with sudo if not root) and Python packages in .venv. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  g++ cmake ninja-build pkg-config ccache mold
  libssl-dev libprotobuf-dev protobuf-compiler nlohmann-json3-dev libroaring-dev libsqlite3-dev
  libzstd-dev liblz4-dev libxxhash-dev zlib1g-dev libpng-dev libturbojpeg0-dev libwebp-dev libgif-dev libtiff-dev
  libgeos-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  python3 python3-venv python3-dev ca-certificates
)
# Only `make lint` needs these.
if [ "${1:-}" = lint ]; then packages+=(clang-format-19 clang-tidy-19); fi
# Only `make fuzz` needs these.
if [ "${1:-}" = fuzz ]; then packages+=(clang-19 libclang-rt-19-dev); fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "tools/deps.sh: missing packages: ${missing[*]}. Run as root or install sudo." >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "tools/deps.sh: Python 3.11 or newer is needed, found $(python3 --version)" >&2
  exit 1
}
[ -x .venv/bin/python ] || python3 -m venv .venv
requirements=(-r tools/requirements.txt)
# Only `make bench` needs these.
if [ "${1:-}" = bench ]; then requirements+=(-r bench/requirements.txt); fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check "${requirements[@]}"
