/* Dump: the plans that a program made last, as dicts for a listing.

   Invariants: a dump holds the GIL and runs nothing; it leaves out a plan that another thread uses.
   exec/backends/dump.py writes the text. */
#include "vm/dump.h"

#include "os/pool.h"
#include "vm/group/settings.h"
#include "vm/plan/plan.h"

static const char *const MODES[] = {
    [LINEAR] = "linear", [ROWS] = "rows", [COLUMNS] = "columns", [TREE] = "tree",
    [PARTS] = "parts"};

static const Plan *
last_plan(const Segment *segment)
{
    for (unsigned back = 1; back <= PLANS_KEPT && back <= segment->next_plan; back++) {
        const Plan *plan = segment->plans[(segment->next_plan - back) % PLANS_KEPT];
        if (plan != NULL && !plan->busy) {
            return plan;
        }
    }
    return NULL;
}

/* The registers that the group makes, each once, in the order of its micro-operations. */
static PyObject *
made_registers(const Group *group)
{
    PyObject *made = PyList_New(0);
    const Instr *last = NULL;
    for (int i = 0; made != NULL && i < group->micro_count; i++) {
        const Instr *instr = group->micros[i].instr;
        if (instr == NULL || instr == last) {
            continue;
        }
        last = instr;
        PyObject *reg = PyLong_FromLong(instr->out[0]);
        if (reg == NULL || PyList_Append(made, reg) < 0) {
            Py_CLEAR(made);
        }
        Py_XDECREF(reg);
    }
    return made;
}

static int
buffers_of(const Group *group)
{
    int count = 0;
    for (int i = 0; i < group->operand_count; i++) {
        count += group->operands[i].has_buffer;
    }
    return count;
}

static PyObject *
dumped_group(const Group *group)
{
    PyObject *made = made_registers(group);
    if (made == NULL) {
        return NULL;
    }
    return Py_BuildValue("{s:s,s:n,s:n,s:n,s:n,s:n,s:n,s:i,s:i,s:n,s:d,s:O,s:N}",
                         "mode", MODES[group->mode], "size", group->size, "lines", group->lines,
                         "line", group->line, "tile_lines", group->tile_lines,
                         "piece", group->piece, "tiles", group->tile_count,
                         "operations", group->micro_count,
                         "buffers", buffers_of(group), "scratch", group->scratch,
                         "cost", group->cost, "streams", group->streams ? Py_True : Py_False,
                         "makes", made);
}

static PyObject *
dumped_plan(const Plan *plan)
{
    PyObject *groups = PyList_New(0);
    for (int i = 0; groups != NULL && plan->status == DONE && i < plan->sequence_count; i++) {
        PyObject *group = dumped_group(&plan->groups[plan->sequence[i]]);
        if (group == NULL || PyList_Append(groups, group) < 0) {
            Py_CLEAR(groups);
        }
        Py_XDECREF(group);
    }
    if (groups == NULL) {
        return NULL;
    }
    Py_ssize_t threads = plan->cost >= settings.threads_from ? pool_threads() : 1;
    return Py_BuildValue("{s:O,s:d,s:n,s:N}", "planned", plan->status == DONE ? Py_True : Py_False,
                         "cost", plan->cost, "threads", threads, "groups", groups);
}

/* Program.plans(): the plan that each segment made last, None without one, {} for views alone. */
PyObject *
dump_plans(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    Program *program = (Program *)self;
    PyObject *plans = PyList_New(0);
    for (int i = 0; plans != NULL && i < program->step_count; i++) {
        const ProgramStep *step = &program->steps[i];
        if (step->code != STEP_SEGMENT) {
            continue;
        }
        const Segment *segment = &step->segment;
        const Plan *plan = last_plan(segment);
        PyObject *dumped = segment->views_only ? PyDict_New()
                           : plan == NULL      ? Py_NewRef(Py_None)
                                               : dumped_plan(plan);
        if (dumped == NULL || PyList_Append(plans, dumped) < 0) {
            Py_CLEAR(plans);
        }
        Py_XDECREF(dumped);
    }
    return plans;
}
