#!/bin/sh
# run.sh - runs the test runners and sums them up: run.sh [RUNNER...]; without an argument, all of them.
#
# A runner is "unit" (the GoogleTest binary) or a folder below tests/ with an executable file `run`. It gets SRC and
# BUILD (absolute), CC and RISCV_CROSS in its environment, and ends with a line "N passed, N failed[, N skipped]".
# One that ends without that line, that ran nothing, or that fails without counting a failure, is itself a failure.
# What it printed is kept in $BUILD/check/<runner>.log.

set -u
LC_ALL=C.UTF-8
export LC_ALL SRC BUILD

passed=0 failed=0 skipped=0 broken=''
logs=$BUILD/check
mkdir -p "$logs" || exit 1

all_runners()
{
    echo unit
    for run in "$SRC"/tests/*/run; do
        [ -x "$run" ] && basename "$(dirname "$run")"
    done
}

command_of()
{
    if [ "$1" = unit ]; then
        echo "$SRC/tests/unit.sh"
    else
        echo "$SRC/tests/$1/run"
    fi
}

start() # runner; its exit status goes to a file, since POSIX pipelines have no other way
{
    { "$(command_of "$1")" </dev/null; echo $? >"$logs/$1.status"; } 2>&1 | tee "$logs/$1.log"
}

failure() # runner, why
{
    echo "$1: $2 (see $logs/$1.log)"
    failed=$((failed + 1))
    broken="$broken $1"
}

# The last line of a log as "passed failed skipped", or nothing.
figures()
{
    sed -n '$s/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2 0/p
            $s/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed, \([0-9][0-9]*\) skipped$/\1 \2 \3/p' "$1"
}

count() # runner, exit status, passed, failed, skipped
{
    if [ $# -ne 5 ]; then
        failure "$1" "died with status $2 before its summary line"
        return
    fi
    passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
    if [ "$4" -gt 0 ]; then
        broken="$broken $1"
    elif [ "$2" -ne 0 ]; then
        failure "$1" "counted no failure, but its status is $2"
    elif [ $(($3 + $5)) -eq 0 ]; then
        failure "$1" 'ran no test'
    fi
}

run() # runner
{
    echo "== $1"
    if [ ! -x "$(command_of "$1")" ]; then
        : >"$logs/$1.log"
        failure "$1" "no such runner: there is no executable $(command_of "$1")"
        return
    fi
    start "$1"
    # The figures are words.
    # shellcheck disable=SC2046
    count "$1" "$(cat "$logs/$1.status")" $(figures "$logs/$1.log")
}

# Names of runners hold no blanks.
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(all_runners)
for runner in "$@"; do
    run "$runner"
done

[ -z "$broken" ] || echo "failed:$broken"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
