/* Verification: each register has a value of the right kind when an instruction or a call reads it,
   and each loop gets operands of its dtypes.

   The verifier follows the steps of the program and tracks a state for each register. Invariant:
   whatever its inputs are, a program that passes reads no empty register and takes no other object
   for an array. The verifier trusts only the loops in NumPy's capsules. Read program.h for the
   structures, vm/machine.c for who runs them. */
#include "vm/program/verify.h"

#include <stdlib.h>

#include "vm/array/arrays.h"
#include "vm/description/malformed.h"
#include "vm/program/templates.h"

/* NOTHING  no step has made it            OBJECT  it holds an object
   GONE     released, or not exported      LOADED  an object that the segment reads
   PENDING  it holds an object or a job    INSIDE  made by an instruction of the segment */
typedef enum SMALL { NOTHING, GONE, PENDING, OBJECT, LOADED, INSIDE } State;

typedef struct {
    const Program *program;
    State *states; /* by register */
} Flow;

static bool
is_object(const Flow *flow, short reg)
{
    return flow->states[reg] == OBJECT || flow->states[reg] == LOADED;
}

static bool
is_array(const Flow *flow, short reg)
{
    const Register *declared = &flow->program->registers[reg];
    return declared->descr != NULL && declared->ndim >= 0;
}

/* Whether a loop can read elements of the dtype. Loops read no metadata, so it may have some. */
static bool
is_native(const PyArray_Descr *descr)
{
    return descr != NULL && array_dtype_is_native(descr);
}

static bool
can_become(const PyArray_Descr *from, const PyArray_Descr *to)
{
    return is_native(from) && is_native(to)
           && (from->type_num == to->type_num || loop_cast(from->type_num, to->type_num) != NULL);
}

static int
make(Flow *flow, short reg, State state)
{
    if (flow->states[reg] != NOTHING) {
        return malformed("a register is written twice");
    }
    flow->states[reg] = state;
    return 0;
}

/* Instructions ------------------------------------------------------------------------------ */
static int
verify_loop(const Loop *loop)
{
    for (int i = 0; i < loop->nin + loop->nout; i++) {
        if (!is_native(loop->descr[i])) {
            return malformed("a loop with operands that are not numbers");
        }
    }
    return 0;
}

/* Whether vm/array/scalars.c converts the register for each call; loops cast arrays. */
static bool
is_converted(const Flow *flow, short reg)
{
    bool object = flow->states[reg] == LOADED && !is_array(flow, reg);
    return object || flow->program->registers[reg].descr == NULL;
}

static int
verify_elementwise(const Flow *flow, const Instr *instr)
{
    const Loop *loop = instr->loop;
    if (verify_loop(loop) < 0) {
        return -1;
    }
    for (int i = 0; i < instr->nin; i++) {
        const Register *declared = &flow->program->registers[instr->in[i]];
        if (!is_converted(flow, instr->in[i]) && !can_become(declared->descr, loop->descr[i])) {
            return malformed("an operand that does not become what the loop takes");
        }
    }
    for (int i = 0; i < instr->nout; i++) {
        const Register *declared = &flow->program->registers[instr->out[i]];
        if (!can_become(loop->descr[instr->nin + i], declared->descr)) {
            return malformed("a result that does not become what its register holds");
        }
    }
    return 0;
}

static int
verify_items(const Flow *flow, const Instr *instr)
{
    int ellipses = 0, most = instr->code == VIEW ? MAX_ITEMS : MAX_NDIM;
    for (int i = 0; i < instr->item_count; i++) {
        const Item *item = &instr->items[i];
        bool single = instr->code != VIEW || item->code == ITEM_INT;
        if (item->code > ITEM_ELLIPSIS || (single && item->parts[0].reg == ABSENT)) {
            return malformed("an item that is nothing");
        }
        for (int k = 0; k < 3; k++) {
            if (item->parts[k].reg >= 0 && !is_object(flow, item->parts[k].reg)) {
                return malformed("an item without a value");
            }
        }
        ellipses += item->code == ITEM_ELLIPSIS;
    }
    return ellipses > 1 || instr->item_count > most ? malformed("too many items") : 0;
}

/* A permutation names each axis once. */
static int
verify_axes(const Instr *instr)
{
    unsigned seen = 0;
    for (int i = 0; i < instr->item_count; i++) {
        const Bound *axis = &instr->items[i].parts[0];
        if (axis->reg != CONSTANT || axis->value < 0 || axis->value >= instr->item_count) {
            return malformed("an axis that is not there");
        }
        seen |= 1u << axis->value;
    }
    return seen == (1u << instr->item_count) - 1 ? 0 : malformed("an axis twice");
}

static int
verify_view(const Flow *flow, const Instr *instr)
{
    const PyArray_Descr *from = flow->program->registers[instr->in[0]].descr;
    const PyArray_Descr *to = flow->program->registers[instr->out[0]].descr;
    if (!is_array(flow, instr->in[0])) {
        return malformed("a view is of one array");
    }
    const Register *copy = &flow->program->registers[instr->out[instr->nout - 1]];
    if (instr->code == RESHAPE
        && (copy->descr == NULL || copy->descr->type_num != from->type_num
            || copy->ndim != flow->program->registers[instr->in[0]].ndim)) {
        return malformed("a copy of another sort");
    }
    if (!is_native(from) || to->type_num != from->type_num) {
        return malformed("a view of another dtype");
    }
    if (verify_items(flow, instr) < 0) {
        return -1;
    }
    return instr->code == PERMUTE ? verify_axes(instr) : 0;
}

static bool
adds_alike(const Instr *instr, const PyArray_Descr *from, const PyArray_Descr *to)
{
    PyArray_Descr *const *descr = instr->loop->descr;
    bool same = descr[1]->type_num == to->type_num;
    if (!same && (instr->split != SPLIT_WHOLE || !instr->has_identity)) {
        return false; /* the loop also adds partial results and first elements */
    }
    if (instr->split == SPLIT_FRAGILE && from->type_num != to->type_num) {
        return false; /* combine.c may reduce again from memory, without a cast */
    }
    return descr[0]->type_num == to->type_num && descr[2]->type_num == to->type_num
           && can_become(from, descr[1]);
}

static int
verify_reduction(const Flow *flow, const Instr *instr)
{
    const PyArray_Descr *from = flow->program->registers[instr->in[0]].descr;
    const PyArray_Descr *to = flow->program->registers[instr->out[0]].descr;
    if (!is_array(flow, instr->in[0]) || !is_native(from) || !is_native(to)) {
        return malformed("a reduction is of one array of numbers");
    }
    if (instr->kind > BY_ARGMIN || instr->split > SPLIT_CHUNKS) {
        return malformed("an unknown kind of reduction");
    }
    if (instr->kind != BY_LOOP) {
        return to->type_num == NPY_INTP ? 0 : malformed("a search gives an index");
    }
    if (verify_loop(instr->loop) < 0) {
        return -1;
    }
    bool binary = instr->loop->nin == 2 && instr->loop->nout == 1;
    return binary && adds_alike(instr, from, to) ? 0 : malformed("a loop that adds something else");
}

static int
verify_assignment(const Flow *flow, const Segment *segment, const Instr *instr)
{
    const PyArray_Descr *into = flow->program->registers[instr->in[0]].descr;
    const PyArray_Descr *value = flow->program->registers[instr->in[1]].descr;
    if (instr != &segment->instrs[segment->instr_count - 1] || segment->target < 0) {
        return malformed("an assignment is the last instruction of a segment with a target");
    }
    if (!is_array(flow, instr->in[0]) || !is_native(into)) {
        return malformed("an assignment is to an array of numbers");
    }
    return is_converted(flow, instr->in[1]) || can_become(value, into)
               ? 0
               : malformed("a value that does not become what the target holds");
}

static int
verify_instr(Flow *flow, const Segment *segment, const Instr *instr)
{
    int status = 0;
    for (int i = 0; i < instr->nin; i++) {
        if (flow->states[instr->in[i]] < LOADED) {
            return malformed("an instruction reads a register without a value");
        }
    }
    switch (instr->code) {
    case ELEMENTWISE:
        status = verify_elementwise(flow, instr);
        break;
    case COUNT:
        break;
    case REDUCE:
        status = verify_reduction(flow, instr);
        break;
    case ASSIGN:
        status = verify_assignment(flow, segment, instr);
        break;
    case VIEW:
    case PERMUTE:
    case RESHAPE:
        status = verify_view(flow, instr);
        break;
    }
    for (int i = 0; i < instr->nout && status == 0; i++) {
        status = make(flow, instr->out[i], INSIDE);
    }
    return status;
}

/* Nodes ------------------------------------------------------------------------------------- */
static int
verify_keywords(const PythonCall *call)
{
    if (call->keywords == NULL) {
        return 0;
    }
    if (!PyTuple_Check(call->keywords)
        || PyTuple_GET_SIZE(call->keywords) > PyTuple_GET_SIZE(call->arguments)) {
        return malformed("names of keywords");
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(call->keywords); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(call->keywords, i))) {
            return malformed("a keyword's name");
        }
    }
    return 0;
}

/* Whether calls.c can test a result for this kind. */
static bool
is_kind(PyObject *kind)
{
    return kind == Py_None || PyType_Check(kind)
           || (PyTuple_Check(kind) && PyTuple_GET_SIZE(kind) > 0);
}

/* What the node's call reads exists before its instructions, so that the call can replace them. */
static int
verify_node(const Flow *flow, const Node *node)
{
    for (int i = 0; i < node->read_count; i++) {
        if (flow->states[node->reads[i]] < OBJECT) {
            return malformed("a node reads a register without a value");
        }
    }
    if (!is_kind(node->call.kind) || !PyCallable_Check(node->call.callable)) {
        return malformed("a node that cannot be called");
    }
    return verify_keywords(&node->call);
}

/* The node's call makes one register, so later nodes may read no other register that its
   instructions made. The call of an effect makes the commit, and its node is the last. */
static int
leave_node(Flow *flow, const Segment *segment, const Node *node)
{
    bool made = false;
    for (int i = 0; i < node->instr_count; i++) {
        for (int k = 0; k < node->instrs[i].nout; k++) {
            made |= node->instrs[i].out[k] == node->call.reg;
        }
    }
    if (!made) {
        bool commits = flow->states[node->call.reg] == NOTHING && !is_array(flow, node->call.reg)
                       && node == &segment->nodes[segment->node_count - 1];
        return commits ? 0 : malformed("a node does not make its register");
    }
    for (int i = 0; i < node->instr_count; i++) {
        for (int k = 0; k < node->instrs[i].nout; k++) {
            short reg = node->instrs[i].out[k];
            flow->states[reg] = reg == node->call.reg ? INSIDE : GONE;
        }
    }
    return 0;
}

static int
verify_nodes(Flow *flow, const Segment *segment)
{
    int status = 0;
    for (int i = 0; i < segment->node_count && status == 0; i++) {
        const Node *node = &segment->nodes[i];
        status = verify_node(flow, node);
        for (int k = 0; k < node->instr_count && status == 0; k++) {
            status = verify_instr(flow, segment, &node->instrs[k]);
        }
        status = status == 0 ? leave_node(flow, segment, node) : status;
    }
    return status;
}

/* Segments ---------------------------------------------------------------------------------- */
static int
verify_objects(const Flow *flow, const short *regs, int count)
{
    for (int i = 0; i < count; i++) {
        if (!is_object(flow, regs[i])) {
            return malformed("a segment takes in a register without a value");
        }
    }
    return 0;
}

/* After a segment its exports are objects, and its other registers are gone. */
static int
leave_segment(Flow *flow, const Segment *segment)
{
    for (int i = 0; i < segment->export_count; i++) {
        if (flow->states[segment->exports[i]] != INSIDE) {
            return malformed("a segment exports what it has not made");
        }
        flow->states[segment->exports[i]] = OBJECT;
    }
    for (int reg = 0; reg < flow->program->register_count; reg++) {
        State *state = &flow->states[reg];
        *state = *state == LOADED ? OBJECT : *state == INSIDE ? GONE : *state;
    }
    return 0;
}

static int
verify_segment(Flow *flow, const Segment *segment)
{
    if (verify_objects(flow, segment->inputs, segment->input_count) < 0
        || verify_objects(flow, segment->keys, segment->key_count) < 0) {
        return -1;
    }
    if (segment->target >= 0
        && (!is_object(flow, segment->target) || !is_array(flow, segment->target))) {
        return malformed("a target that is no array");
    }
    for (int i = 0; i < segment->input_count; i++) {
        flow->states[segment->inputs[i]] = LOADED;
    }
    return verify_nodes(flow, segment) < 0 ? -1 : leave_segment(flow, segment);
}

/* Templates --------------------------------------------------------------------------------- */
static int
verify_known(const Flow *flow, short reg)
{
    return is_object(flow, reg) ? 0 : malformed("a register without a value is to be an object");
}

static int
verify_templates(const Flow *flow, PyObject *templates)
{
    short *regs;
    int count = templates_registers(templates, flow->program->register_count, &regs), status = 0;
    for (int i = 0; i < count && status == 0; i++) {
        status = verify_known(flow, regs[i]);
    }
    free(regs);
    return count < 0 ? -1 : status;
}

/* Calls ------------------------------------------------------------------------------------- */
static int
verify_commit(Flow *flow, const ProgramStep *step)
{
    if (verify_known(flow, step->target) < 0 || verify_known(flow, step->source) < 0
        || !is_array(flow, step->target)) {
        return malformed("a commit has a target and a value");
    }
    return make(flow, step->call.reg, OBJECT);
}

static int
verify_call(Flow *flow, const PythonCall *call, uint8_t state)
{
    if (verify_templates(flow, call->arguments) < 0 || verify_keywords(call) < 0) {
        return -1;
    }
    if (!is_kind(call->kind) || !PyCallable_Check(call->callable)) {
        return malformed("a call of what cannot be called");
    }
    return make(flow, call->reg, state);
}

static int
verify_join(Flow *flow, const PythonCall *call)
{
    if (flow->states[call->reg] != PENDING || !is_kind(call->kind)) {
        return malformed("what is joined has not been submitted");
    }
    flow->states[call->reg] = OBJECT;
    return 0;
}

static int
verify_step(Flow *flow, const ProgramStep *step)
{
    switch (step->code) {
    case STEP_SEGMENT:
        return verify_segment(flow, &step->segment);
    case STEP_CALL:
        return verify_call(flow, &step->call, OBJECT);
    case STEP_SUBMIT:
        return verify_known(flow, step->array) < 0 ? -1 : verify_call(flow, &step->call, PENDING);
    case STEP_JOIN:
        return verify_join(flow, &step->call);
    case STEP_COMMIT:
        return verify_commit(flow, step);
    }
    return malformed("an unknown step");
}

/* Programs ---------------------------------------------------------------------------------- */
static int
verify_steps(Flow *flow)
{
    const Program *program = flow->program;
    for (int i = 0; i < program->step_count; i++) {
        const ProgramStep *step = &program->steps[i];
        if (verify_step(flow, step) < 0) {
            return -1;
        }
        for (int k = 0; k < step->drop_count; k++) {
            flow->states[step->drops[k]] = GONE;
        }
    }
    if (program->outputs != NULL) {
        PyObject *all = PyTuple_Pack(1, program->outputs);
        int status = all == NULL ? -1 : verify_templates(flow, all);
        Py_XDECREF(all);
        return status;
    }
    bool known = program->bare < 0 || is_object(flow, program->bare);
    return known ? 0 : malformed("an output without a value");
}

int
verify_program(const Program *program)
{
    Flow flow = {.program = program};
    int given = program->input_count, first = given + program->constant_count;
    flow.states = calloc((size_t)program->register_count + 1, sizeof *flow.states);
    if (flow.states == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int status = 0;
    for (int reg = 0; reg < first; reg++) {
        flow.states[reg] = OBJECT;
        if (reg >= given && is_array(&flow, (short)reg)) {
            status = malformed("a constant is a number");
        }
    }
    status = status < 0 ? -1 : verify_steps(&flow);
    free(flow.states);
    return status;
}
