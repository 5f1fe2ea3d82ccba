/* Parsing: the description of a program becomes the structures of program.h.

   dyntrace/exec/lower/description.py says what a description means. Invariants: planning and
   running read no tuple of the description again, except templates; a malformed description raises
   here and never crashes later. Read parse_instruction.c for instructions, then verify.c. */
#include "vm/program/parse.h"

#include <stdlib.h>

#include "vm/description/malformed.h"
#include "vm/program/parse_instruction.h"
#include "vm/description/record.h"
#include "vm/program/segment.h"
#include "vm/program/templates.h"

static int
parse_list(const Program *program, PyObject *numbers, short **regs, int *count)
{
    if (!PyTuple_Check(numbers)) {
        return malformed("a tuple of registers");
    }
    *regs = calloc((size_t)PyTuple_GET_SIZE(numbers) + 1, sizeof **regs);
    if (*regs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *count = record_registers(numbers, program->register_count, *regs, INT16_MAX);
    return *count < 0 ? -1 : 0;
}

static int
parse_call(const Program *program, PythonCall *call, PyObject *source)
{
    if (!IS_RECORD(CALL, source)
        || record_register(FIELD(CALL, reg, source), program->register_count, &call->reg) < 0
        || record_tuple(FIELD(CALL, arguments, source), "the arguments of a call") < 0) {
        return malformed("a call");
    }
    PyObject *keywords = FIELD(CALL, keywords, source);
    call->callable = FIELD(CALL, target, source);
    call->arguments = FIELD(CALL, arguments, source);
    call->keywords = keywords == Py_None ? NULL : keywords;
    call->kind = FIELD(CALL, kind, source);
    return 0;
}

/* Nodes and segments ------------------------------------------------------------------------ */
static int
parse_node(const Program *program, Segment *segment, Node *node, PyObject *source)
{
    PyObject *instrs = FIELD(NODE, instructions, source);
    node->instrs = &segment->instrs[segment->instr_count];
    if (parse_call(program, &node->call, FIELD(NODE, call, source)) < 0) {
        return malformed("a node");
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(instrs); i++) {
        Instr *instr = &segment->instrs[segment->instr_count++];
        node->instr_count++;
        instr->node = node;
        if (parse_instruction(program, instr, PyTuple_GET_ITEM(instrs, i)) < 0) {
            return -1;
        }
        segment->flags |= instr->loop != NULL && instr->loop->flags;
    }
    node->read_count =
        templates_registers(node->call.arguments, program->register_count, &node->reads);
    return node->read_count < 0 ? -1 : 0;
}

/* The number of instructions of all nodes. Each node has at least one. */
static Py_ssize_t
count_instructions(PyObject *nodes)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(nodes); i++) {
        PyObject *source = PyTuple_GET_ITEM(nodes, i);
        if (!IS_RECORD(NODE, source)
            || record_tuple(FIELD(NODE, instructions, source), "the instructions of a node") < 0) {
            return -1;
        }
        Py_ssize_t own = PyTuple_GET_SIZE(FIELD(NODE, instructions, source));
        if (own == 0) {
            return malformed("a node without an instruction");
        }
        count += own;
    }
    return count;
}

static int
parse_nodes(const Program *program, Segment *segment, PyObject *sources)
{
    if (record_tuple(sources, "the nodes of a segment") < 0) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(sources), instr_count = count_instructions(sources);
    if (instr_count < 0 || count > INT16_MAX) {
        return malformed("too many nodes");
    }
    segment->nodes = calloc((size_t)count + 1, sizeof *segment->nodes);
    segment->instrs = calloc((size_t)instr_count + 1, sizeof *segment->instrs);
    if (segment->nodes == NULL || segment->instrs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Node *node = &segment->nodes[segment->node_count++];
        if (parse_node(program, segment, node, PyTuple_GET_ITEM(sources, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
parse_target(Program *program, Segment *segment, PyObject *target)
{
    if (target == Py_None) {
        return 0;
    }
    program->commit = segment->node_count > 0
                          ? segment->nodes[segment->node_count - 1].call.reg
                          : -1;
    return record_register(target, program->register_count, &segment->target);
}

static int
parse_segment(Program *program, Segment *segment, PyObject *source)
{
    bool overflows;
    segment->target = -1;
    if (parse_nodes(program, segment, FIELD(STEP_SEGMENT, nodes, source)) < 0
        || parse_list(program, FIELD(STEP_SEGMENT, inputs, source), &segment->inputs,
                      &segment->input_count) < 0
        || parse_list(program, FIELD(STEP_SEGMENT, exports, source), &segment->exports,
                      &segment->export_count) < 0
        || parse_list(program, FIELD(STEP_SEGMENT, keys, source), &segment->keys,
                      &segment->key_count) < 0
        || record_flag(FIELD(STEP_SEGMENT, overflows, source), &overflows) < 0) {
        return malformed("a segment");
    }
    segment->flags |= overflows;
    if (!segment_count(program, segment)) {
        return malformed("a register is read too often, or memory is short");
    }
    return parse_target(program, segment, FIELD(STEP_SEGMENT, target, source));
}

/* Steps ------------------------------------------------------------------------------------- */
static int
parse_submit(const Program *program, ProgramStep *step, PyObject *source)
{
    if (record_register(FIELD(STEP_SUBMIT, array, source), program->register_count, &step->array)
            < 0
        || record_size(FIELD(STEP_SUBMIT, least_bytes, source), &step->least_bytes) < 0) {
        return malformed("what is submitted");
    }
    return parse_call(program, &step->call, FIELD(STEP_SUBMIT, call, source));
}

static int
parse_join(const Program *program, ProgramStep *step, PyObject *source)
{
    step->call.kind = FIELD(STEP_JOIN, kind, source);
    return record_register(FIELD(STEP_JOIN, reg, source), program->register_count, &step->call.reg);
}

static int
parse_commit(const Program *program, ProgramStep *step, PyObject *source)
{
    int count = program->register_count;
    return record_register(FIELD(STEP_COMMIT, reg, source), count, &step->call.reg) < 0
                   || record_register(FIELD(STEP_COMMIT, target, source), count, &step->target) < 0
                   || record_register(FIELD(STEP_COMMIT, source, source), count, &step->source) < 0
                   || record_flag(FIELD(STEP_COMMIT, strict, source), &step->strict) < 0
               ? malformed("a commit")
               : 0;
}

static int
parse_step(Program *program, ProgramStep *step, PyObject *source)
{
    int code = record_step(source);
    if (code < 0) {
        return -1;
    }
    step->code = (StepCode)code;
    program->calls_python |= code == STEP_CALL || code == STEP_SUBMIT || code == STEP_JOIN;
    switch (step->code) {
    case STEP_SEGMENT:
        return parse_segment(program, &step->segment, source);
    case STEP_CALL:
        return parse_call(program, &step->call, FIELD(STEP_CALL, call, source));
    case STEP_SUBMIT:
        return parse_submit(program, step, source);
    case STEP_JOIN:
        return parse_join(program, step, source);
    case STEP_COMMIT:
        return parse_commit(program, step, source);
    }
    return malformed("an unknown step");
}

/* A step may release no input and no constant, since the registers of these borrow. */
static int
parse_drops(const Program *program, ProgramStep *step, PyObject *numbers)
{
    if (parse_list(program, numbers, &step->drops, &step->drop_count) < 0) {
        return -1;
    }
    for (int i = 0; i < step->drop_count; i++) {
        if (step->drops[i] < program->input_count + program->constant_count) {
            return malformed("an input to let go");
        }
    }
    step->segment.drops = step->drops;
    step->segment.drop_count = step->drop_count;
    return 0;
}

/* Programs ---------------------------------------------------------------------------------- */
static int
parse_register(Register *reg, PyObject *source)
{
    if (!IS_RECORD(REGISTER, source)
        || record_int(FIELD(REGISTER, ndim, source), -1, INT_MAX, &reg->ndim) < 0) {
        return malformed("a register");
    }
    PyObject *dtype = FIELD(REGISTER, dtype, source);
    if (PyArray_DescrCheck(dtype)) {
        reg->descr = (PyArray_Descr *)dtype;
        reg->itemsize = PyDataType_ELSIZE(reg->descr);
    }
    return 0;
}

static int
parse_registers(Program *program, PyObject *sources)
{
    Py_ssize_t count = PyTuple_GET_SIZE(sources);
    if (count > INT16_MAX) {
        return malformed("too many registers");
    }
    program->registers = calloc((size_t)count + 1, sizeof *program->registers);
    if (program->registers == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    program->register_count = (int)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (parse_register(&program->registers[i], PyTuple_GET_ITEM(sources, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Registers are numbered in the order: inputs, constants, all others. */
static int
parse_constants(Program *program, PyObject *input_count, PyObject *constants)
{
    Py_ssize_t count = PyTuple_GET_SIZE(constants);
    if (record_int(input_count, 0, program->register_count, &program->input_count) < 0
        || program->input_count > program->register_count - count) {
        return malformed("the number of inputs");
    }
    program->constant_count = (int)count;
    for (int i = 0; i < program->constant_count; i++) {
        program->registers[program->input_count + i].constant = PyTuple_GET_ITEM(constants, i);
    }
    return 0;
}

static int
parse_steps(Program *program, PyObject *steps, PyObject *drops)
{
    Py_ssize_t count = PyTuple_GET_SIZE(steps);
    program->commit = -1;
    program->steps = calloc((size_t)count + 1, sizeof *program->steps);
    if (program->steps == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        program->step_count++;
        if (parse_step(program, &program->steps[i], PyTuple_GET_ITEM(steps, i)) < 0
            || parse_drops(program, &program->steps[i], PyTuple_GET_ITEM(drops, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The outputs are None, the template of a register for a bare value, or that of a container. */
static int
parse_outputs(Program *program, PyObject *outputs)
{
    program->bare = -1;
    if (outputs == Py_None) {
        return 0;
    }
    int code = record_template(outputs);
    if (code == TEMPLATE_REGISTER) {
        return record_register(FIELD(TEMPLATE_REGISTER, reg, outputs), program->register_count,
                               &program->bare);
    }
    program->outputs = outputs;
    return code < 0 ? -1 : 0;
}

int
parse_program(Program *program, PyObject *spec)
{
    if (!IS_RECORD(PROGRAM, spec)) {
        return -1;
    }
    PyObject *registers = FIELD(PROGRAM, registers, spec), *drops = FIELD(PROGRAM, drops, spec);
    PyObject *constants = FIELD(PROGRAM, constants, spec), *steps = FIELD(PROGRAM, steps, spec);
    if (!PyTuple_Check(registers) || !PyTuple_Check(constants) || !PyTuple_Check(steps)
        || !PyTuple_Check(drops) || PyTuple_GET_SIZE(drops) != PyTuple_GET_SIZE(steps)) {
        return malformed("a program");
    }
    if (parse_registers(program, registers) < 0
        || parse_constants(program, FIELD(PROGRAM, input_count, spec), constants) < 0
        || parse_steps(program, steps, drops) < 0) {
        return -1;
    }
    return parse_outputs(program, FIELD(PROGRAM, outputs, spec));
}
