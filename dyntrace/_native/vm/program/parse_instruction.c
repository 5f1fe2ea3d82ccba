/* Parsing of one instruction: its record becomes an Instr.

   Invariant: an accepted instruction has as many registers as its row in vm/instructions.def
   allows. verify.c checks what the registers hold. */
#include "vm/program/parse_instruction.h"

#include <stdlib.h>

#include "vm/description/malformed.h"
#include "vm/description/record.h"
#include "vm/program/templates.h"

/* A bound is None, an int, or the template of a register. */
static int
parse_bound(const Program *program, PyObject *source, Bound *bound)
{
    if (source == Py_None) {
        bound->reg = ABSENT;
        return 0;
    }
    if (PyTuple_Check(source)) {
        return record_template(source) == TEMPLATE_REGISTER
                   ? record_register(FIELD(TEMPLATE_REGISTER, reg, source), program->register_count,
                                     &bound->reg)
                   : malformed("a bound");
    }
    bound->reg = CONSTANT;
    bound->value = PyLong_Check(source) ? PyNumber_AsSsize_t(source, NULL) : 0;
    return PyLong_Check(source) ? 0 : malformed("a bound");
}

static int
parse_item(const Program *program, PyObject *source, Item *item)
{
    int code = record_item(source);
    for (int k = 0; k < 3; k++) {
        item->parts[k].reg = ABSENT;
    }
    if (code < 0) {
        return -1;
    }
    item->code = (ItemCode)code;
    switch (item->code) {
    case ITEM_INT:
        return parse_bound(program, FIELD(ITEM_INT, value, source), &item->parts[0]);
    case ITEM_SLICE:
        if (parse_bound(program, FIELD(ITEM_SLICE, start, source), &item->parts[0]) < 0
            || parse_bound(program, FIELD(ITEM_SLICE, stop, source), &item->parts[1]) < 0) {
            return -1;
        }
        return parse_bound(program, FIELD(ITEM_SLICE, step, source), &item->parts[2]);
    case ITEM_NEWAXIS:
    case ITEM_ELLIPSIS:
        break;
    }
    return 0;
}

static int
parse_items(const Program *program, Instr *instr, PyObject *items)
{
    if (!PyTuple_Check(items) || PyTuple_GET_SIZE(items) > MAX_ITEMS) {
        return malformed("items");
    }
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    instr->items = calloc((size_t)count + 1, sizeof *instr->items);
    if (instr->items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    instr->item_count = (uint8_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (parse_item(program, PyTuple_GET_ITEM(items, i), &instr->items[i]) < 0) {
            return malformed("an item");
        }
    }
    return 0;
}

static int
parse_loop(Instr *instr, PyObject *description)
{
    instr->loop = loop_new(description);
    return instr->loop == NULL ? -1 : 0;
}

/* Two flags, for the first and the second operand. */
static int
parse_pair(PyObject *source, bool pair[2])
{
    if (!PyTuple_Check(source) || PyTuple_GET_SIZE(source) != 2) {
        return malformed("a pair of flags");
    }
    return record_flag(PyTuple_GET_ITEM(source, 0), &pair[0]) < 0
                   || record_flag(PyTuple_GET_ITEM(source, 1), &pair[1]) < 0
               ? -1
               : 0;
}

static int
parse_elementwise(Instr *instr, PyObject *source)
{
    if (parse_loop(instr, FIELD(ELEMENTWISE, loop, source)) < 0
        || parse_pair(FIELD(ELEMENTWISE, reuses, source), instr->reuses) < 0
        || parse_pair(FIELD(ELEMENTWISE, outside, source), instr->outside) < 0
        || record_flag(FIELD(ELEMENTWISE, inplace, source), &instr->inplace) < 0
        || record_flag(FIELD(ELEMENTWISE, copies, source), &instr->copies) < 0) {
        return malformed("an elementwise instruction");
    }
    bool fits = instr->loop->nin == instr->nin && instr->loop->nout == instr->nout;
    return fits ? 0 : malformed("a loop with other operands");
}

static int
parse_identity(Instr *instr, PyObject *identity, npy_intp itemsize)
{
    if (identity == Py_None) {
        return 0;
    }
    if (!PyBytes_Check(identity) || PyBytes_GET_SIZE(identity) != itemsize
        || itemsize > LARGEST_ITEM) {
        return malformed("an identity");
    }
    memcpy(instr->identity, PyBytes_AS_STRING(identity), (size_t)PyBytes_GET_SIZE(identity));
    instr->has_identity = true;
    return 0;
}

static int
parse_search(const Program *program, Instr *instr)
{
    PyArray_Descr *descr = program->registers[instr->in[0]].descr;
    if (descr == NULL || PyTypeNum_ISUSERDEF(descr->type_num)) {
        return malformed("a search of what has no dtype");
    }
    PyArray_ArrFuncs *functions = PyDataType_GetArrFuncs(descr);
    instr->argfunc = instr->kind == BY_ARGMAX ? functions->argmax : functions->argmin;
    return instr->argfunc == NULL ? malformed("no search for this dtype") : 0;
}

static int
parse_axes(PyObject *source, uint32_t *axes)
{
    int found;
    if (record_int(source, 0, (1 << MAX_NDIM) - 1, &found) < 0) {
        return malformed("the bits of axes");
    }
    *axes = (uint32_t)found;
    return 0;
}

static int
parse_reduce(const Program *program, Instr *instr, PyObject *source)
{
    int kind, split;
    npy_intp itemsize = program->registers[instr->out[0]].itemsize;
    if (record_int(FIELD(REDUCE, kind, source), 0, BY_ARGMIN, &kind) < 0
        || record_int(FIELD(REDUCE, split, source), 0, SPLIT_CHUNKS, &split) < 0
        || parse_axes(FIELD(REDUCE, axes, source), &instr->axes) < 0
        || record_flag(FIELD(REDUCE, keepdims, source), &instr->keepdims) < 0
        || parse_identity(instr, FIELD(REDUCE, identity, source), itemsize) < 0) {
        return malformed("a reduction");
    }
    instr->kind = (ReduceKind)kind;
    instr->split = (SplitKind)split;
    return kind == BY_LOOP ? parse_loop(instr, FIELD(REDUCE, loop, source))
                           : parse_search(program, instr);
}

static int
parse_count(Instr *instr, PyObject *source)
{
    return parse_axes(FIELD(COUNT, axes, source), &instr->axes) < 0
                   || record_size(FIELD(COUNT, less, source), &instr->less) < 0
               ? malformed("a count")
               : 0;
}

static int
parse_fields(const Program *program, Instr *instr, PyObject *source)
{
    switch (instr->code) {
    case ELEMENTWISE:
        return parse_elementwise(instr, source);
    case COUNT:
        return parse_count(instr, source);
    case REDUCE:
        return parse_reduce(program, instr, source);
    case ASSIGN:
        return record_flag(FIELD(ASSIGN, strict, source), &instr->strict);
    case VIEW:
        return parse_items(program, instr, FIELD(VIEW, items, source));
    case PERMUTE:
        return parse_items(program, instr, FIELD(PERMUTE, items, source));
    case RESHAPE:
        return parse_items(program, instr, FIELD(RESHAPE, items, source));
    }
    return malformed("an unknown instruction");
}

/* Registers --------------------------------------------------------------------------------- */
/* Whether an instruction may read and make that many registers. */
static bool
has_arity(int code, int nin, int nout)
{
    static const struct {
        int least_in, most_in, least_out, most_out;
    } rows[] = {
#define INSTRUCTION(name, least_in, most_in, least_out, most_out, words, fields)                  \
    {least_in, most_in, least_out, most_out},
#include "vm/instructions.def"
    };
    return nin >= rows[code].least_in && nin <= rows[code].most_in && nout >= rows[code].least_out
           && nout <= rows[code].most_out;
}

static bool
has_few_dimensions(const Program *program, const short *regs, int count)
{
    int most = 0;
    for (int i = 0; i < count; i++) {
        int ndim = program->registers[regs[i]].ndim;
        most = ndim > most ? ndim : most;
    }
    return most <= MAX_NDIM;
}

static int
parse_operands(const Program *program, Instr *instr, PyObject *inputs, PyObject *outputs)
{
    int nin = record_registers(inputs, program->register_count, instr->in, MAX_ARGS);
    int nout = record_registers(outputs, program->register_count, instr->out, 2);
    if (nin < 0 || nout < 0 || !has_arity(instr->code, nin, nout)) {
        return malformed("an instruction's registers");
    }
    instr->nin = (uint8_t)nin;
    instr->nout = (uint8_t)nout;
    if (!has_few_dimensions(program, instr->in, nin)
        || !has_few_dimensions(program, instr->out, nout)) {
        return malformed("too many dimensions");
    }
    for (int i = 0; i < nout; i++) {
        if (instr->code != COUNT && program->registers[instr->out[i]].descr == NULL) {
            return malformed("a result without dtype");
        }
    }
    return 0;
}

int
parse_instruction(const Program *program, Instr *instr, PyObject *source)
{
    int code = record_instruction(source);
    if (code < 0) {
        return malformed("an instruction");
    }
    instr->code = (InstrCode)code;
    /* The records of all instructions have their registers at the same indexes. */
    return parse_operands(program, instr, FIELD(ELEMENTWISE, inputs, source),
                          FIELD(ELEMENTWISE, outputs, source)) < 0
               ? -1
               : parse_fields(program, instr, source);
}
