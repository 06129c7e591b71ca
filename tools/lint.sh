#!/bin/bash
# Include order, formatting and clang-tidy over the whole tree, or over the files given.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/check_includes.py
if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(git ls-files '*.h' '*.cc'); fi
clang-format-19 --dry-run --Werror "${files[@]}"

# clang-tidy reads how each file is compiled from the dev build, whose generated headers must exist.
cmake --preset dev >/dev/null
cmake --build --preset dev --target tusk_generated --parallel "$(nproc)" >/dev/null
sources=()
for file in "${files[@]}"; do
  # Tests are plain on purpose: loops that reserve nothing, values unwrapped without a check.
  [[ $file == src/*.cc && $file != *_test.cc && $file != *_fuzz.cc ]] && sources+=("$file")
done
[ ${#sources[@]} -eq 0 ] || printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build/dev --quiet \
  --extra-arg=-Wno-error=deprecated-declarations  # libstdc++ 12 uses its own deprecated functions
