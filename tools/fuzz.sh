#!/bin/bash
# Runs every fuzzer of the fuzz build, one after the other, and fails if one has a finding.
#
#   tools/fuzz.sh [SECONDS] [NAME...]     seconds for each (120); all, or those whose names are given
#
# What is found lies in build/fuzz/findings/, what grew of the corpus in build/fuzz/corpus/NAME/, the
# output in build/fuzz/log/. Each run adds a line to build/fuzz/runs.tsv: when, name, seconds,
# executions, covered edges, findings.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-120}
shift || true

build=build/fuzz
mkdir -p $build/{findings,log,corpus}
# The sanitizers do not see into Arrow's own allocator.
export ARROW_DEFAULT_MEMORY_POOL=system
failed=0
while read -r binary corpus; do
  name=$(basename "$binary")
  if [ $# -gt 0 ]; then [[ " $* " == *" $name "* ]] || continue; fi
  mkdir -p "$build/corpus/$name"
  before=$(find $build/findings -name "$name-*" | wc -l)
  began=$(date +%s)
  # No allocation may exceed what the pools of the fuzzers give, by far.
  nice "$binary" -max_total_time="$seconds" -timeout=20 -max_len=16384 -malloc_limit_mb=128 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$build/findings/$name-" "$build/corpus/$name" "$corpus" \
    >"$build/log/$name.log" 2>&1
  status=$?
  spent=$(($(date +%s) - began))
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/log/$name.log")
  covered=$(grep -o 'cov: [0-9]*' "$build/log/$name.log" | tail -1 | cut -d' ' -f2)
  found=$(($(find $build/findings -name "$name-*" | wc -l) - before))
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$name" "$spent" "${executions:-0}" "${covered:-0}" "$found" |
    tee -a $build/runs.tsv
  if [ $status -ne 0 ]; then
    failed=1
    grep -m3 -E 'ERROR|broken law|runtime error|SUMMARY' "$build/log/$name.log" >&2
  fi
done <$build/fuzzers.txt
exit $failed
