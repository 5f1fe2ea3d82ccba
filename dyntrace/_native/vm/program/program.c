/* Frees the structures of a program that parsing made.

   Invariant: loops own their dtypes and capsules; all other objects are borrowed from the
   description. Read program.h for the structures, vm/split.c for freeing plans and splits. */
#include "vm/program/program.h"

#include <stdlib.h>

#include "vm/program/segment.h"

static void
clear_segment(Segment *segment)
{
    segment_clear(segment);
    for (int i = 0; i < segment->instr_count; i++) {
        loop_free(segment->instrs[i].loop);
        free(segment->instrs[i].items);
    }
    for (int i = 0; i < segment->node_count; i++) {
        free(segment->nodes[i].reads);
    }
    free(segment->instrs);
    free(segment->nodes);
}

void
program_clear(Program *program)
{
    for (int i = 0; i < program->step_count; i++) {
        clear_segment(&program->steps[i].segment);
        free(program->steps[i].drops);
    }
    free(program->steps);
    free(program->registers);
    program->steps = NULL;
    program->registers = NULL;
    program->step_count = program->register_count = 0;
}
