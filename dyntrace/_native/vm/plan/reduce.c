/* Planning of reductions: the group that runs one, and the order in which it visits elements.

   A reduction runs NumPy's inner loop in the order of NumPy's iterator: along whole rows if the
   last axes are reduced, row after row if kept axes follow the reduced ones, else over all
   elements. A reduction over all elements is split where that keeps the bits. Other layouts are
   UNPLANNED.
   Invariant: the instruction says which splits keep the bits (SPLIT in vm/instructions.def). Read
   group/cut.c for the parts, group/combine.c for how their results become one. */
#include "vm/plan/reduce.h"

#include "vm/array/layout.h"
#include "vm/group/axes.h"
#include "vm/group/cut.h"
#include "vm/plan/operands.h"

enum { ROW_BYTES = 256 * 1024, SMALL_WHOLE = 8192 };

typedef struct {
    int first, last;       /* the reduced axes that are longer than one */
    bool outer, inner;     /* whether kept axes come before the first, and after the last */
    npy_intp row;          /* the number of elements from the first reduced axis on */
} Pattern;

/* UNPLANNED: kept axes lie between reduced ones. */
static Status
pattern_of(const Instr *instr, const Value *value, Pattern *pattern)
{
    *pattern = (Pattern){.first = -1, .last = -1, .row = 1};
    for (int i = 0; i < value->ndim; i++) {
        if (value->dims[i] != 1 && (instr->axes >> i & 1)) {
            pattern->first = pattern->first < 0 ? i : pattern->first;
            pattern->last = i;
        }
    }
    if (pattern->first < 0) { /* rows of one element */
        pattern->first = pattern->last = value->ndim;
    }
    for (int i = 0; i < value->ndim; i++) {
        bool kept = value->dims[i] != 1 && !(instr->axes >> i & 1);
        if (kept && i > pattern->first && i < pattern->last) {
            return UNPLANNED;
        }
        pattern->outer |= kept && i < pattern->first;
        pattern->inner |= kept && i > pattern->last;
        pattern->row *= i >= pattern->first ? value->dims[i] : 1;
    }
    return DONE;
}

/* Whether NumPy's iterator visits the elements in the order of a row: the index order of a dense
   array, or memory order where a loop reduces all axes. */
static bool
has_usual_order(const Value *value, npy_intp itemsize, const Pattern *pattern, ReduceKind kind)
{
    bool everything = !pattern->outer && !pattern->inner && kind == BY_LOOP;
    if (everything && pattern->first == pattern->last) {
        return true;
    }
    return layout_is_dense_in_order(value->ndim, value->dims, value->strides, itemsize)
           || (everything && layout_is_dense(value->ndim, value->dims, value->strides, itemsize));
}

/* The shape of the result, which is dense in index order. */
static void
result_value(const Instr *instr, const Value *source, npy_intp itemsize, Value *result)
{
    value_clear(result);
    for (int i = 0; i < source->ndim; i++) {
        bool reduced = instr->axes >> i & 1;
        if (!reduced || instr->keepdims) {
            result->dims[result->ndim++] = reduced ? 1 : source->dims[i];
        }
    }
    layout_dense_strides(result->ndim, result->dims, itemsize, result->strides);
    result->size = layout_size(result->ndim, result->dims);
    if (result->size == 0) {
        memset(result->strides, 0, (size_t)result->ndim * sizeof *result->strides);
    }
    result->owns = true;
    result->group = -1;
}

/* Turns a linear group into one of rows, each of the axes from `first` on; false if the rows do not
   lie evenly in memory, or the group has rows of another length. */
static bool
take_rows(Group *group, const Pattern *pattern)
{
    npy_intp row = 1;
    int inner = group->ndim - pattern->first, before = group->inner;
    if (group->mode == ROWS) {
        for (int i = group->ndim - group->inner; i < group->ndim; i++) {
            row *= group->dims[i];
        }
        return row == pattern->row;
    }
    if (group->mode != LINEAR) {
        return false;
    }
    group->mode = ROWS;
    group->inner = inner;
    if (!axes_have_rows(group)) {
        group->mode = LINEAR;
        group->inner = before;
        return false;
    }
    return true;
}

/* The value as the pattern of a group: its shape, and strides for items of one byte. */
static void
by_bytes_of_one(const Value *value, npy_intp itemsize, Value *like)
{
    value_copy(like, value);
    if (layout_is_dense(value->ndim, value->dims, value->strides, itemsize)) {
        layout_scale_strides(value->ndim, value->strides, itemsize, 1, like->strides);
    }
    else { /* one axis longer than one, of any stride */
        layout_dense_strides(value->ndim, value->dims, 1, like->strides);
    }
}

/* A group of rows that makes the source or can read it; -1: out of memory. A row longer than
   ROW_BYTES gets a group of its own, since its buffers would not stay in the cache. */
static int
group_of_rows(Planner *planner, short reg, const Pattern *pattern)
{
    Plan *plan = planner->plan;
    Value *value = &plan->values[reg];
    npy_intp itemsize = planner->program->registers[reg].itemsize;
    bool buffers = pattern->row * itemsize <= ROW_BYTES;
    if (value->where == IN_TILE) {
        if (buffers && take_rows(&plan->groups[value->group], pattern)) {
            return value->group;
        }
        if (planner_materialise(planner, reg) != DONE) {
            return -1;
        }
    }
    Value like;
    by_bytes_of_one(value, itemsize, &like);
    for (int i = 0; i < planner->open_count && buffers; i++) {
        int number = planner->open[i];
        if (planner_fits(&plan->groups[number], &like)
            && take_rows(&plan->groups[number], pattern)) {
            return number;
        }
    }
    int number = planner_group(planner, ROWS, &like);
    if (number >= 0) {
        plan->groups[number].inner = value->ndim - pattern->first;
    }
    return number;
}

/* The operand to be reduced, cast to the dtype of the loop. */
static int
source_operand(Planner *planner, Group *group, const Instr *instr)
{
    const Value *value = &planner->plan->values[instr->in[0]];
    int operand = value->where == IN_TILE
                      ? value->operand
                      : operand_external(planner, group, instr->in[0], value, false);
    if (operand < 0 || instr->loop == NULL
        || group->operands[operand].type == instr->loop->descr[1]->type_num) {
        return operand;
    }
    return group_cast(group, operand, instr->loop->descr[1]->type_num);
}

static Status
add_reduction(Planner *planner, int number, const Instr *instr, int source, int total)
{
    Group *group = &planner->plan->groups[number];
    Micro *micro = source < 0 || total < 0 ? NULL : group_micro(group, MICRO_REDUCE);
    if (micro == NULL) {
        return FAILED;
    }
    micro->count = 2;
    micro->args[0] = (short)source;
    micro->args[1] = (short)total;
    micro->instr = instr;
    micro->exact = EXACT;
    micro->cost = 0.3f;
    if (instr->loop != NULL) {
        micro->function = instr->loop->function;
        micro->context = instr->loop->context;
        micro->auxdata = instr->loop->auxdata;
        micro->cost = instr->loop->cost;
        micro->clears = instr->loop->clears;
    }
    group->operands[source].last = group->operands[total].last = (short)(group->micro_count - 1);
    return DONE;
}

/* One total for each row, which stays in the group: later instructions may join its rows. */
static Status
reduce_rows(Planner *planner, const Instr *instr, const Pattern *pattern)
{
    short reg = instr->out[0];
    const Register *declared = &planner->program->registers[reg];
    Value result;
    int number = group_of_rows(planner, instr->in[0], pattern);
    if (number < 0) {
        return FAILED;
    }
    Group *group = &planner->plan->groups[number];
    int source = source_operand(planner, group, instr);
    int total = group_new(group, OPERAND_ROW, reg, declared->descr->type_num, declared->itemsize);
    Status status = add_reduction(planner, number, instr, source, total);
    if (status != DONE) {
        return status;
    }
    result_value(instr, &planner->plan->values[instr->in[0]], declared->itemsize, &result);
    result.where = IN_ROW;
    result.group = (short)number;
    result.operand = (short)total;
    value_copy(&planner->plan->values[reg], &result);
    return DONE;
}

/* Makes the reduction the last operation of the group, and closes the group: the result, which is
   known only when all tiles have run, is in memory. */
static Status
reduce_apart(Planner *planner, const Instr *instr, int number)
{
    Plan *plan = planner->plan;
    short reg = instr->out[0];
    const Register *declared = &planner->program->registers[reg];
    Value result;
    result_value(instr, &plan->values[instr->in[0]], declared->itemsize, &result);
    bool object = planner->exported[reg] && declared->ndim >= 0;
    int base = planner_base(plan, object ? BASE_NEW : BASE_BLOCK, reg,
                            result.size * declared->itemsize);
    Group *group = &plan->groups[number];
    int source = source_operand(planner, group, instr);
    int total = group_new(group, OPERAND_TOTAL, -1, declared->descr->type_num, declared->itemsize);
    Status status = base < 0 ? FAILED : add_reduction(planner, number, instr, source, total);
    if (status != DONE) {
        return status;
    }
    group->operands[total].base = (short)base;
    result.where = IN_BASE;
    result.base = (short)base;
    value_copy(&plan->values[reg], &result);
    planner->left[instr->in[0]]--;
    status = planner_close(planner, number);
    planner->left[instr->in[0]]++;
    return status;
}

/* Whether each operand in memory is dense in the group's order, so that one line holds it. */
static bool
is_linear(const Group *group)
{
    for (int i = 0; i < group->operand_count; i++) {
        const Operand *operand = &group->operands[i];
        if (operand->code == OPERAND_LINES && group->ndim > 1) {
            npy_intp dense[MAX_NDIM];
            layout_scale_strides(group->ndim, group->order, 1, operand->itemsize, dense);
            if (memcmp(dense, operand->axes, (size_t)group->ndim * sizeof *dense) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* The group that makes the source if it can take the mode, else a new group that reads the source
   from memory; -1: out of memory. */
static int
group_apart(Planner *planner, const Instr *instr, GroupMode mode)
{
    Plan *plan = planner->plan;
    Value *value = &plan->values[instr->in[0]];
    if (value->where == IN_TILE) {
        Group *group = &plan->groups[value->group];
        if (group->mode == LINEAR && !cut_is_placed(group)
            && (mode == COLUMNS || is_linear(group))) {
            group->mode = mode;
            return value->group;
        }
        if (planner_materialise(planner, instr->in[0]) != DONE) {
            return -1;
        }
    }
    Value like;
    by_bytes_of_one(value, planner->program->registers[instr->in[0]].itemsize, &like);
    return planner_group(planner, mode, &like);
}

/* Kept axes follow the reduced ones: the group adds lines to a line of totals. */
static Status
reduce_columns(Planner *planner, const Instr *instr, const Pattern *pattern)
{
    int ndim = planner->plan->values[instr->in[0]].ndim;
    int number = group_apart(planner, instr, COLUMNS);
    if (number < 0) {
        return FAILED;
    }
    Group *group = &planner->plan->groups[number];
    group->inner = ndim - 1 - pattern->last;
    group->reduced = ((1u << (pattern->last + 1)) - 1) & ~((1u << pattern->first) - 1);
    return axes_have_rows(group) ? reduce_apart(planner, instr, number) : UNPLANNED;
}

/* All axes are reduced: tiles make partial results, which group/combine.c puts together. A FRAGILE
   result may have to be reduced again from memory, so its source is put there. */
static Status
reduce_everything(Planner *planner, const Instr *instr)
{
    Plan *plan = planner->plan;
    bool tree = instr->split == SPLIT_TREE;
    if (instr->split == SPLIT_FRAGILE) {
        Status status = planner_materialise(planner, instr->in[0]);
        if (status != DONE) {
            return status;
        }
    }
    int number = group_apart(planner, instr, tree ? TREE : PARTS);
    if (number < 0) {
        return FAILED;
    }
    Group *group = &plan->groups[number];
    const Register *declared = &planner->program->registers[instr->out[0]];
    group->unit = PyTypeNum_ISCOMPLEX(declared->descr->type_num) ? 2 : 1;
    Status status = reduce_apart(planner, instr, number);
    if (status != DONE) {
        return status;
    }
    group = &plan->groups[number];
    group->parts = tree ? group->tile_count : group->tile_count < 8 ? group->tile_count : 8;
    int partials = planner_base(plan, BASE_BLOCK, -1, group->parts * declared->itemsize);
    group->partials = (short)partials;
    return partials < 0 ? FAILED : DONE;
}

Status
reduce_plan(Planner *planner, const Instr *instr)
{
    Value *value = &planner->plan->values[instr->in[0]];
    npy_intp itemsize = planner->program->registers[instr->in[0]].itemsize;
    Pattern pattern;
    if (value->where == IN_ROW && planner_materialise(planner, instr->in[0]) != DONE) {
        return FAILED;
    }
    if (value->size <= 0 || (value->where != IN_BASE && value->where != IN_TILE)) {
        return UNPLANNED;
    }
    Status status = pattern_of(instr, value, &pattern);
    if (status != DONE) {
        return status;
    }
    if (!has_usual_order(value, itemsize, &pattern, instr->kind)) {
        return UNPLANNED;
    }
    if (instr->split == SPLIT_CHUNKS && pattern.row > SMALL_WHOLE) {
        return UNPLANNED;
    }
    if (pattern.inner) {
        return instr->kind == BY_LOOP ? reduce_columns(planner, instr, &pattern) : UNPLANNED;
    }
    if (pattern.outer || pattern.row <= SMALL_WHOLE) {
        return reduce_rows(planner, instr, &pattern);
    }
    if (instr->split != SPLIT_WHOLE) {
        return reduce_everything(planner, instr);
    }
    status = planner_materialise(planner, instr->in[0]);
    return status == DONE ? reduce_rows(planner, instr, &pattern) : status;
}
