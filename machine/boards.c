#include "machine.h"

const struct board *const boards[] = { &board_virt, &board_spike, NULL };
