/* From the Python description of a program to its structures.

   dyntrace/exec/lower/lowering.py writes descriptions and says what they mean. Invariant: what has been
   parsed can be planned and run without looking at Python objects for its structure again; a
   malformed description is an exception here, never a crash later. */
#include "vm/program/parse.h"

#include <stdlib.h>

#include "vm/program/malformed.h"
#include "vm/program/segment.h"
#include "vm/program/templates.h"

static int
take_register(const Program *program, PyObject *number, short *reg)
{
    long value = PyLong_Check(number) ? PyLong_AsLong(number) : -1;
    if (value < 0 || value >= program->register_count) {
        return malformed("a register that is not there");
    }
    *reg = (short)value;
    return 0;
}

static int
take_registers(const Program *program, PyObject *numbers, short *regs, int most)
{
    if (!PyTuple_Check(numbers) || PyTuple_GET_SIZE(numbers) > most) {
        return malformed("a tuple of registers");
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers); i++) {
        if (take_register(program, PyTuple_GET_ITEM(numbers, i), &regs[i]) < 0) {
            return -1;
        }
    }
    return (int)PyTuple_GET_SIZE(numbers);
}

/* None, an int, or (register,) */
static int
parse_bound(const Program *program, PyObject *source, Bound *bound)
{
    if (source == Py_None) {
        bound->reg = ABSENT;
        return 0;
    }
    if (PyTuple_Check(source) && PyTuple_GET_SIZE(source) == 1) {
        return take_register(program, PyTuple_GET_ITEM(source, 0), &bound->reg);
    }
    bound->reg = CONSTANT;
    bound->value = PyLong_Check(source) ? PyNumber_AsSsize_t(source, NULL) : 0;
    return PyLong_Check(source) ? 0 : malformed("a bound");
}

/* (code, bound, bound, bound) */
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
        Item *item = &instr->items[i];
        PyObject *parts[3];
        int code;
        PyObject *source = PyTuple_GET_ITEM(items, i);
        if (!PyTuple_Check(source)
            || !PyArg_ParseTuple(source, "iOOO", &code, &parts[0], &parts[1], &parts[2])
            || code < 0 || code > ITEM_ELLIPSIS) {
            return malformed("an item");
        }
        item->code = (ItemCode)code;
        for (int k = 0; k < 3; k++) {
            if (parse_bound(program, parts[k], &item->parts[k]) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int
take_loop(Instr *instr, PyObject *description)
{
    instr->loop = loop_new(description);
    return instr->loop == NULL ? -1 : 0;
}

static int
parse_elementwise(Instr *instr, PyObject *extra)
{
    PyObject *loop;
    int reuses[2], outside[2];
    int inplace, copies;
    if (!PyArg_ParseTuple(extra, "O(pp)(pp)pp", &loop, &reuses[0], &reuses[1], &outside[0],
                          &outside[1], &inplace, &copies)
        || take_loop(instr, loop) < 0) {
        return malformed("an elementwise instruction");
    }
    for (int i = 0; i < 2; i++) {
        instr->reuses[i] = reuses[i];
        instr->outside[i] = outside[i];
    }
    instr->inplace = inplace;
    instr->copies = copies;
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
parse_reduce(const Program *program, Instr *instr, PyObject *extra)
{
    PyObject *loop, *identity;
    int kind, split, keepdims;
    unsigned axes;
    npy_intp itemsize = instr->nout > 0 ? program->registers[instr->out[0]].itemsize : 0;
    if (!PyArg_ParseTuple(extra, "OiiIpO", &loop, &kind, &split, &axes, &keepdims, &identity)
        || kind < 0 || kind > BY_ARGMIN || split < 0 || split > SPLIT_CHUNKS
        || parse_identity(instr, identity, itemsize) < 0) {
        return malformed("a reduction");
    }
    instr->kind = (ReduceKind)kind;
    instr->split = (SplitKind)split;
    instr->axes = axes;
    instr->keepdims = keepdims;
    if (kind == BY_LOOP) {
        return take_loop(instr, loop);
    }
    PyArray_Descr *descr = program->registers[instr->in[0]].descr;
    if (descr == NULL || PyTypeNum_ISUSERDEF(descr->type_num)) {
        return malformed("a search of what has no dtype");
    }
    PyArray_ArrFuncs *functions = PyDataType_GetArrFuncs(descr);
    instr->argfunc = kind == BY_ARGMAX ? functions->argmax : functions->argmin;
    return instr->argfunc == NULL ? malformed("no search for this dtype") : 0;
}

static int
parse_count(Instr *instr, PyObject *extra)
{
    unsigned axes;
    Py_ssize_t less;
    if (!PyArg_ParseTuple(extra, "In", &axes, &less) || less < 0) {
        return malformed("a count");
    }
    instr->axes = axes;
    instr->less = less;
    return 0;
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

/* Instructions of one node follow one another, in the order of the nodes. */
static int
take_node(Segment *segment, Instr *instr, int number)
{
    int place = (int)(instr - segment->instrs);
    int last = place > 0 ? (int)(instr[-1].node - segment->nodes) : -1;
    if (number >= segment->node_count || number < 0 || (number != last && number != last + 1)) {
        return malformed("the node of an instruction");
    }
    Node *node = &segment->nodes[number];
    node->instrs = node->instr_count == 0 ? instr : node->instrs;
    node->instr_count++;
    instr->node = node;
    return 0;
}

/* How many registers an instruction may have. */
static bool
has_arity(int code, int nin, int nout)
{
    static const struct {
        int least_in, most_in, least_out, most_out;
    } rows[] = {
#define INSTRUCTION(name, least_in, most_in, least_out, most_out, words)                          \
    {least_in, most_in, least_out, most_out},
#include "vm/instructions.def"
    };
    return nin >= rows[code].least_in && nin <= rows[code].most_in && nout >= rows[code].least_out
           && nout <= rows[code].most_out;
}

/* (code, inputs, outputs, extra, node) */
static int
parse_instr(const Program *program, Segment *segment, Instr *instr, PyObject *source)
{
    PyObject *ins, *outs, *extra;
    int code, node;
    if (!PyTuple_Check(source)
        || !PyArg_ParseTuple(source, "iOOO!i", &code, &ins, &outs, &PyTuple_Type, &extra, &node)
        || code < 0 || code > ASSIGN || take_node(segment, instr, node) < 0) {
        return malformed("an instruction");
    }
    instr->code = (InstrCode)code;
    int nin = take_registers(program, ins, instr->in, MAX_ARGS);
    int nout = take_registers(program, outs, instr->out, 2);
    if (nin < 0 || nout < 0 || !has_arity(code, nin, nout)) {
        return malformed("an instruction's registers");
    }
    instr->nin = (uint8_t)nin;
    instr->nout = (uint8_t)nout;
    if (!has_few_dimensions(program, instr->in, nin)
        || !has_few_dimensions(program, instr->out, nout)) {
        return malformed("too many dimensions");
    }
    for (int i = 0; i < nout; i++) {
        if (code != COUNT && program->registers[instr->out[i]].descr == NULL) {
            return malformed("a result without dtype");
        }
    }
    switch (instr->code) {
    case ELEMENTWISE:
        return parse_elementwise(instr, extra);
    case COUNT:
        return parse_count(instr, extra);
    case REDUCE:
        return parse_reduce(program, instr, extra);
    case ASSIGN:
        instr->strict = PyTuple_GET_SIZE(extra) == 1 && PyTuple_GET_ITEM(extra, 0) == Py_True;
        return 0;
    case VIEW:
    case PERMUTE:
    case RESHAPE:
        return parse_items(program, instr, extra);
    }
    return malformed("an unknown instruction");
}

static int
parse_instrs(const Program *program, Segment *segment, PyObject *sources)
{
    Py_ssize_t count = PyTuple_GET_SIZE(sources);
    segment->instrs = calloc((size_t)count + 1, sizeof *segment->instrs);
    if (segment->instrs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Instr *instr = &segment->instrs[i];
        segment->instr_count++;
        if (parse_instr(program, segment, instr, PyTuple_GET_ITEM(sources, i)) < 0) {
            return -1;
        }
        segment->flags |= instr->loop != NULL && instr->loop->flags;
    }
    bool complete = segment->node_count == 0
                    || segment->nodes[segment->node_count - 1].instr_count > 0;
    return complete ? 0 : malformed("a node without an instruction");
}

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
    *count = take_registers(program, numbers, *regs, INT16_MAX);
    return *count < 0 ? -1 : 0;
}

/* (register, callable, templates, names or None, kind) */
static int
parse_node(const Program *program, Node *node, PyObject *source)
{
    PyObject *number, *names;
    if (!PyTuple_Check(source)
        || !PyArg_ParseTuple(source, "OOO!OO", &number, &node->call.callable, &PyTuple_Type,
                             &node->call.arguments, &names, &node->call.kind)
        || take_register(program, number, &node->call.reg) < 0) {
        return malformed("a node");
    }
    node->call.names = names == Py_None ? NULL : names;
    node->read_count =
        templates_registers(node->call.arguments, program->register_count, &node->reads);
    return node->read_count < 0 ? -1 : 0;
}

static int
parse_nodes(const Program *program, Segment *segment, PyObject *sources)
{
    Py_ssize_t count = PyTuple_GET_SIZE(sources);
    segment->nodes = calloc((size_t)count + 1, sizeof *segment->nodes);
    if (segment->nodes == NULL || count > INT16_MAX) {
        return segment->nodes == NULL ? (PyErr_NoMemory(), -1) : malformed("too many nodes");
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        segment->node_count++;
        if (parse_node(program, &segment->nodes[i], PyTuple_GET_ITEM(sources, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ("segment", inputs, exports, keys, instructions, casts may raise flags, target or None, nodes) */
static int
parse_segment(Program *program, ProgramStep *step, PyObject *source)
{
    PyObject *name, *inputs, *exports, *keys, *instrs, *target, *nodes;
    int flags;
    Segment *segment = &step->segment;
    step->code = STEP_SEGMENT;
    segment->target = -1;
    if (!PyArg_ParseTuple(source, "OOOOO!pOO!", &name, &inputs, &exports, &keys, &PyTuple_Type,
                          &instrs, &flags, &target, &PyTuple_Type, &nodes)
        || parse_nodes(program, segment, nodes) < 0
        || parse_instrs(program, segment, instrs) < 0
        || parse_list(program, inputs, &segment->inputs, &segment->input_count) < 0
        || parse_list(program, exports, &segment->exports, &segment->export_count) < 0
        || parse_list(program, keys, &segment->keys, &segment->key_count) < 0) {
        return malformed("a segment");
    }
    segment->flags |= flags;
    if (!segment_count(program, segment)) {
        return malformed("a register is read too often, or memory is short");
    }
    if (target == Py_None) {
        return 0;
    }
    program->commit = segment->node_count > 0
                          ? segment->nodes[segment->node_count - 1].call.reg
                          : -1;
    return take_register(program, target, &segment->target);
}

/* ("call" | "submit" | "join" | "commit", register, callable, templates, names or None, kind) */
static int
parse_call(Program *program, ProgramStep *step, PyObject *source, const char *name)
{
    PyObject *ignored, *number, *names;
    static const char *const NAMES[] = {[STEP_CALL] = "call", [STEP_SUBMIT] = "submit",
                                        [STEP_JOIN] = "join", [STEP_COMMIT] = "commit"};
    step->code = STEP_CALL;
    while (step->code <= STEP_COMMIT && strcmp(name, NAMES[step->code]) != 0) {
        step->code++;
    }
    if (step->code > STEP_COMMIT || !PyArg_ParseTuple(source, "OOOO!OO", &ignored, &number, &step->call.callable, &PyTuple_Type,
                          &step->call.arguments, &names, &step->call.kind)
        || take_register(program, number, &step->call.reg) < 0) {
        return malformed("a call");
    }
    step->call.names = names == Py_None ? NULL : names;
    program->calls_python |= step->code != STEP_COMMIT;
    return 0;
}

static int
parse_step(Program *program, ProgramStep *step, PyObject *source)
{
    if (!PyTuple_Check(source) || PyTuple_GET_SIZE(source) < 2) {
        return malformed("a step");
    }
    const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(source, 0));
    if (name == NULL) {
        return malformed("a step's name");
    }
    return strcmp(name, "segment") == 0 ? parse_segment(program, step, source)
                                        : parse_call(program, step, source, name);
}

/* Inputs and constants are not the program's to let go. */
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

static int
parse_registers(Program *program, PyObject *sources, PyObject *constants)
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
        Register *reg = &program->registers[i];
        PyObject *dtype, *source = PyTuple_GET_ITEM(sources, i);
        if (!PyTuple_Check(source) || !PyArg_ParseTuple(source, "Oi", &dtype, &reg->ndim)) {
            return malformed("a register");
        }
        if (PyArray_DescrCheck(dtype)) {
            reg->descr = (PyArray_Descr *)dtype;
            reg->itemsize = PyDataType_ELSIZE(reg->descr);
        }
    }
    Py_ssize_t constant_count = PyTuple_GET_SIZE(constants);
    if (program->input_count < 0 || program->input_count > count - constant_count) {
        return malformed("the number of inputs");
    }
    program->constant_count = (int)constant_count;
    for (int i = 0; i < program->constant_count; i++) {
        program->registers[program->input_count + i].constant = PyTuple_GET_ITEM(constants, i);
    }
    return 0;
}

/* (number of inputs, registers, constants, steps, registers to let go after each, outputs) */
int
parse_program(Program *program, PyObject *spec)
{
    PyObject *registers, *constants, *steps, *drops, *outputs;
    if (!PyArg_ParseTuple(spec, "iO!O!O!O!O", &program->input_count, &PyTuple_Type, &registers,
                          &PyTuple_Type, &constants, &PyTuple_Type, &steps, &PyTuple_Type, &drops,
                          &outputs)
        || PyTuple_GET_SIZE(drops) != PyTuple_GET_SIZE(steps)
        || parse_registers(program, registers, constants) < 0) {
        return malformed("a program");
    }
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
    program->bare = -1;
    if (PyTuple_Check(outputs)) {
        program->outputs = outputs;
        return 0;
    }
    return outputs == Py_None ? 0 : take_register(program, outputs, &program->bare);
}
