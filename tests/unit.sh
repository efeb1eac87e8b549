#!/bin/sh
# unit.sh - runs the GoogleTest binary, shows what failed, and ends with a line that run.sh sums.
# UNIT_FILTER=PATTERN runs a part of it.

set -u
log=$BUILD/check/gtest.log
results=$BUILD/check/gtest.xml

rm -f "$results"
"$BUILD/tests/unit" --gtest_filter="${UNIT_FILTER:-*}" --gtest_output="xml:$results" >"$log" 2>&1
status=$?
grep '^seed: ' "$log"

# GoogleTest writes the results at its end: without them, it died.
if [ ! -s "$results" ]; then
    tail -n 25 "$log"
    echo "unit: died with status $status in the test named last"
    exit 1
fi
[ $status -eq 0 ] || grep -v -e '^\[ RUN ' -e '^\[  *OK ' -e '^\[---' "$log"
sed -n 's/^\[  SKIPPED \] \([^ ,]*\)$/skipped: \1/p' "$log" | sort -u

awk '
    function attribute(name,    at) {
        at = match($0, " " name "=\"[0-9]*\"")
        return at ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) + 0 : 0
    }
    /<testsuite / {
        tests += attribute("tests"); bad += attribute("failures") + attribute("errors")
        skipped += attribute("skipped") + attribute("disabled")
    }
    END { printf "%d passed, %d failed, %d skipped\n", tests - bad - skipped, bad, skipped }
' "$results"
exit $status
