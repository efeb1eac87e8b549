/* host-text-capstone.c - x86-64 assembler text in Intel's spelling, by libcapstone. */
#include <stdio.h>

#include <capstone/capstone.h>

#include "host-text.h"

bool host_text_here(void)
{
    return true;
}

bool host_text(const uint8_t *code, size_t len, uint64_t address,
               void (*line)(void *owner, size_t at, unsigned bytes, const char *text), void *owner)
{
    csh handle;
    uint64_t at = address;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
        return false;
    cs_insn *insn = cs_malloc(handle);
    while (insn && cs_disasm_iter(handle, &code, &len, &at, insn)) {
        char text[sizeof insn->mnemonic + sizeof insn->op_str + 1];
        snprintf(text, sizeof text, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
        line(owner, insn->address - address, insn->size, text);
    }
    if (insn)
        cs_free(insn, 1);
    cs_close(&handle);
    return true;
}
