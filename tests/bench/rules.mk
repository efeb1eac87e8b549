# make bench [BENCH="fib sieve"]: guest programs against QEMU and the host; docs/testing.md, "The bench".
# BENCH_RUNS, BENCH_ACCEL, BENCH_JSON, BENCH_QEMU and BENCH_CROSS come from the environment or the command line.

.PHONY: bench
bench: all
	@BUILD='$(abspath $(BUILD))' CC='$(CC)' $(foreach v,BENCH_RUNS BENCH_ACCEL BENCH_JSON BENCH_QEMU BENCH_CROSS,\
		$(if $(filter command,$(firstword $(origin $v))),$v='$($v)')) $(SRC)/tests/bench/run-bench $(BENCH)
