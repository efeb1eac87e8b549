# make golden: tests/codegen/golden.txt anew, to be looked at with git diff; docs/testing.md, "Codegen".

.PHONY: golden
golden: $(unit)
	@SRC='$(abspath $(SRC))' LYREBIRD_TEST_RENEW=1 $(unit) --gtest_filter='Codegen.*'
