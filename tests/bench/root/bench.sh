#!/bin/sh
# In the guest: each program once to warm up, and once for its time. "BENCH NAME SECONDS RESULT", then "BENCH end".
cd "$(dirname "$0")" || exit 1

program()
{
    case $1 in
    gcc) gcc -O2 -c one.c two.c three.c && cat one.o two.o three.o ;;
    python) python3 loop.py ;;
    sqlite) python3 rows.py ;;
    esac
}

for name in "$@"; do
    program "$name" >result
    start=$(date +%s%N)
    program "$name" >result || exit 1
    end=$(date +%s%N)
    echo "BENCH $name $(((end - start) / 1000000))ms $(md5sum <result | cut -c1-16)"
done
echo BENCH end
