#!/bin/sh
# lint.sh - what the compiler does not check: layout, banned calls, include edges, headers that compile alone, mutable
# globals, and how long functions and files are. `make lint` sets SRC, BUILD, CC, EDGES and LIB_CFLAGS.
# A check whose tool is missing is reported as skipped.

set -u
LC_ALL=C.UTF-8
export LC_ALL

columns=$(sed -n 's/^ColumnLimit: *//p' "$SRC/.clang-format")
function_lines=100
file_lines=900
here=$PWD
work=$(cd "$BUILD" && pwd)/lint
mkdir -p "$work" || exit 1
passed=0 failed=0 skipped=0

# Standard headers that a folder may not use: where host time, files and threads of the OS come from.
# folder regex | header regex | why
banned_headers='
devices|cpu-.*|jit     <(unistd|fcntl|poll|dirent|termios|sys/(ioctl|file|stat|wait|uio))[.]h>    files belong to host/
devices|cpu-.*|jit     <(netdb|sys/socket|netinet/.*|arpa/.*)[.]h>    sockets belong to host/
devices|cpu-.*|jit     <(time|sys/time|sys/timerfd)[.]h>    guest time comes from core/clock.h
devices|cpu-.*         <(sys/mman|signal|sys/signal|pthread)[.]h>    memory, signals, threads: core/, host/, machine/
'

# Calls that are not made. folder regex | function names | why
banned_calls='
.*                       strcpy|strcat|sprintf|vsprintf|gets|stpcpy    no bound: use snprintf
.*                       atoi|atol|atoll|atof    no error: use strtol and look at its end
.*                       alloca    no bound on the stack: use an array or malloc
.*                       sleep|usleep|nanosleep    wait for the event, not for the time
core|jit|cpu-.*|devices  printf|vprintf|puts|putchar|perror    standard output is the user'\''s: see trace.h, error.h
[^t].*                   exit|_Exit|quick_exit|abort|__builtin_trap    only main exits: return false with a struct error
[^t].*                   malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf    see core/alloc.h
'

# The exceptions: file | what a finding there contains | why it may
exempt='
machine/main.c        exit|abort    it is main
core/alloc.c          malloc|calloc|realloc|reallocarray|vasprintf    it is what the others call
core/alloc.c          abort|fprintf    no memory: nobody could handle that, and a line says so
jit/gdb-jit.[co]      __jit_debug_descriptor|gdb_jit_mutex    GDB looks for it by this name, once in a process
host/terminal.[co]    term          atexit() and signal handlers restore the terminal, and they take no argument
'

# --- reporting -------------------------------------------------------------------------------------------

verdict() # check, file with its findings
{
    if [ -s "$2" ]; then
        failed=$((failed + 1))
        echo "FAIL $1: $(wc -l <"$2") finding(s)"
        sed 's/^/  /' "$2" | head -n 40
    else
        passed=$((passed + 1))
        echo "ok   $1"
    fi
}

# Drops the findings that `exempt` has a row for.
without_exempt() # file with findings
{
    printf '%s\n' "$exempt" | while read -r file what why; do
        [ -z "$why" ] || printf '(^|/)%s:.*[^A-Za-z0-9_](%s)[^A-Za-z0-9_]\n' "$file" "$what"
    done >"$work/exempt"
    grep -v -E -f "$work/exempt" "$1"
}

skip() # check, why
{
    skipped=$((skipped + 1))
    echo "skipped: $1: $2"
}

# --- what there is ---------------------------------------------------------------------------------------

folders=$(printf '%s\n' "$EDGES" | tr ' ' '\n' | sed 's/:.*//')
cd "$SRC" || exit 1
for f in $folders; do
    ls "$f"/*.[ch] "$f"/*.cc 2>/dev/null
done >"$work/files"
grep -v '\.cc$' "$work/files" | xargs ls -- 2>/dev/null | grep '\.h$' >"$work/headers"

# Names of files hold no blanks: make would not build them.
# shellcheck disable=SC2046
awk -v strings=0 -f tests/lint-strip.awk $(cat "$work/files") >"$work/code"

# --- checks ----------------------------------------------------------------------------------------------

# A URL and a row of a Markdown table may be long.
# shellcheck disable=SC2046
check_layout()
{
    awk -v columns="$columns" '
        length($0) > columns && !/https?:/ { print FILENAME ":" FNR ": " length($0) " columns, at most " columns }
        /\t/ { print FILENAME ":" FNR ": a tab" }
        /[ \r]$/ { print FILENAME ":" FNR ": blanks at the end" }
        /^[a-z].*[^=,] \{$/ && /\)( __attribute__.*)? \{$/ && !/^(else|do|namespace|extern) / {
            print FILENAME ":" FNR ": the opening brace of a function stands on its own line"
        }
    ' $(cat "$work/files") >"$work/layout"
    awk -v columns="$columns" 'length($0) > columns && !/https?:/ && !/^\|/ {
        print FILENAME ":" FNR ": " length($0) " columns, at most " columns
    }' configure Makefile.in README.md docs/*.md tests/*.sh tests/*/run $(ls -- */*.def) >>"$work/layout"
    while read -r f; do
        [ -z "$(tail -c 1 "$f")" ] || echo "$f: no newline at the end"
    done <"$work/files" >>"$work/layout"
    verdict 'layout (columns, tabs, blanks, braces)' "$work/layout"
}

# One statement a line, blanks collapsed: differences that remain are between tokens. {a} and { a } are both good.
tokens()
{
    awk -v strings=1 -f tests/lint-strip.awk - | sed -e 's/^[^:]*:[0-9]*://' -e 's/\\$//' | tr -s ' \n' '  ' |
        sed -e 's/( /(/g' -e 's/; /;\n/g' -e 's/ *\([{}]\) */\n\1\n/g' | grep -v '^$'
}

check_format()
{
    if ! command -v clang-format >/dev/null; then
        skip 'clang-format' 'clang-format is not installed'
        return
    fi
    while read -r f; do
        tokens <"$f" >"$work/is"
        clang-format --style=file --assume-filename="$f" <"$f" | tokens >"$work/should"
        diff "$work/is" "$work/should" | sed -n "s|^< *|$f: is:     |p; s|^> *|$f: should: |p"
    done <"$work/files" >"$work/format"
    verdict 'clang-format (blanks between tokens)' "$work/format"
}

# Rows are read field by field: no row holds a backslash.
check_calls()
{
    printf '%s\n' "$banned_calls" | while read -r where names why; do
        [ -n "$where" ] || continue
        grep -E "^($where)/[^:]*:[0-9]+:(.*[^A-Za-z0-9_.>])?($names) ?\(" "$work/code" | sed "s|\$|   -- $why|"
    done >"$work/found-calls"
    grep -E '^(core|jit|cpu-[^/]*|devices)/.*[^A-Za-z0-9_](fprintf|fputs|putc|fputc|vfprintf) ?\(.*std(out|err)' \
        "$work/code" | sed 's/$/   -- the streams are the user'\''s/' >>"$work/found-calls"
    without_exempt "$work/found-calls" >"$work/calls"
    verdict 'banned calls' "$work/calls"
}

check_includes()
{
    xargs grep -En '^ *# *include' <"$work/files" >"$work/include-lines"
    {
        grep '"\.\./' "$work/include-lines" | sed 's/$/   -- name the header alone/'
        printf '%s\n' "$banned_headers" | while read -r where headers why; do
            [ -n "$where" ] && grep -E "^($where)/.*($headers)" "$work/include-lines" | sed "s|\$|   -- $why|"
        done
        sed -n 's/^\([^/]*\)\/\([^:]*:[0-9]*\): *# *include "\([^"]*\)".*/\1 \2 \3/p' "$work/include-lines" |
            while read -r folder place header; do
                edge "$folder" "$place" "$header"
            done
    } >"$work/includes"
    verdict 'include edges' "$work/includes"
}

edge() # folder, file:line, header
{
    case $1/$2 in
    tests/*.cc:*)
        case $3 in
        harness.h | harness-*.h) ;;
        *) echo "$1/$2: \"$3\"   -- a test sees the harness only" ;;
        esac
        return ;;
    esac
    [ "$3" = harness-all.h ] && return
    sees=$(printf '%s\n' "$EDGES" | tr ' ' '\n' | sed -n "s/^$1://p" | tr ',' ' ')
    for f in $sees; do
        [ -e "$f/$3" ] && return
    done
    [ "$1" = tests ] && [ -e "$3" ] && return
    echo "$1/$2: \"$3\"   -- not in the folders that $1 may see: $sees"
}

# Compiles each header alone with its folder's -iquote; prints what fails.
alone() # compiler
{
    while read -r header; do
        sees=$(printf '%s\n' "$EDGES" | tr ' ' '\n' | sed -n "s/^${header%%/*}://p" | tr ',' '\n' | sed 's/^/-iquote /')
        # shellcheck disable=SC2086
        printf '#include "%s"\n' "$(basename "$header")" |
            $1 -std=gnu17 -fsyntax-only -Wall -Wextra -Wstrict-prototypes -Wno-unused-parameter -Wno-unused-function \
                -Werror $LIB_CFLAGS -iquote "${header%/*}" $sees -x c - >"$work/alone.out" 2>&1 ||
            echo "$header: $(grep -m 1 -E 'error|warning' "$work/alone.out")"
    done <"$work/headers"
}

check_headers()
{
    for compiler in "$CC" clang; do
        [ "$compiler" = "$CC" ] || [ "${CC##*/}" != clang ] || continue
        if ! command -v "${compiler%% *}" >/dev/null; then
            skip "each header alone ($compiler)" "$compiler is not installed"
            continue
        fi
        alone "$compiler" >"$work/headers-alone"
        verdict "each header alone ($compiler)" "$work/headers-alone"
    done
}

# Writable sections; .data.rel.ro is constant once the program is loaded, and sanitizers keep data of their own.
check_globals()
{
    while read -r object; do
        case $object in
        */firmware/*) continue ;; # not C
        esac
        nm -f sysv "$here/$object" | awk -F '|' -v object="$object" '
            { gsub(/ /, "", $1); gsub(/ /, "", $7) }
            $7 ~ /^(\.data|\.bss|\.tbss|\.tdata|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ && $4 !~ /SECTION/ &&
            $1 !~ /asan|ubsan|^\./ { print object ": " $1 " is a mutable file-scope variable" }'
    done <"$here/$BUILD/objects.list" >"$work/found-globals" 2>&1
    without_exempt "$work/found-globals" >"$work/globals"
    verdict 'mutable globals' "$work/globals"
}

# A function runs from the brace in column 0 to the brace in column 0; its name is the last one before a parenthesis
# in column 0.
check_sizes()
{
    awk '
        { at = index($0, ":"); file = substr($0, 1, at - 1); rest = substr($0, at + 1)
          at = index(rest, ":"); line = substr(rest, 1, at - 1); text = substr(rest, at + 1) }
        text ~ /^[A-Za-z_].*\(/ { name = text; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        text == "{" { start = line }
        text ~ /^}/ && start { print line - start + 1, file ":" start, name; start = 0 }
    ' "$work/code" | sort -k1,1nr -k2 >"$work/functions"
    awk -v most=$function_lines '$1 > most { print $2 ": " $3 " has " $1 " lines, at most " most }' \
        "$work/functions" >"$work/long"
    verdict "functions of at most $function_lines lines" "$work/long"
    xargs wc -l <"$work/files" | awk '$2 != "total" { print $1, $2 }' | sort -k1,1nr >"$work/sizes"
    awk -v most=$file_lines '$1 > most { print "warning: " $2 " has " $1 " lines; split it?" }' "$work/sizes"
    echo 'longest functions:'
    head -n 10 "$work/functions" | awk '{ printf "  %4d  %s %s\n", $1, $2, $3 }'
    echo 'longest files:'
    head -n 10 "$work/sizes" | awk '{ printf "  %4d  %s\n", $1, $2 }'
}

check_scripts()
{
    if ! command -v shellcheck >/dev/null; then
        skip 'shell scripts' 'shellcheck is not installed'
        return
    fi
    for f in configure .ci/run tests/*.sh tests/*/run; do
        [ -f "$f" ] && head -n 1 "$f" | grep -q '^#!.*sh' && shellcheck -f gcc "$f"
    done >"$work/scripts"
    verdict 'shell scripts (shellcheck)' "$work/scripts"
}

# What CI runs is what README tells its reader to type.
check_readme()
{
    : >"$work/readme"
    command=$(grep '^\./configure' .ci/run)
    grep -qF -- "$command" README.md || echo "README.md: does not contain CI's command: $command" >"$work/readme"
    verdict "README's command is CI's" "$work/readme"
}

check_layout
check_format
check_calls
check_includes
check_headers
check_globals
check_scripts
check_readme
check_sizes
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
