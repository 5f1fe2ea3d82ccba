/* Program: a callable that runs a lowered graph, or its Python twin for inputs of other kinds.

   Calling it returns what exec/results.py describes, or None for "run the original instructions".
   Invariants: a call holds references to all that it reads; threads may call a program at once, and
   a program may call itself. Read vm/split.c and vm/calls.c for the steps. */
#include "cpython/signals.h"

#include "vm/machine.h"

#include <structmember.h>

#include "cpython/failures.h"
#include "vm/array/arrays.h"
#include "vm/array/datamem.h"
#include "vm/calls.h"
#include "vm/commit.h"
#include "vm/dump.h"
#include "vm/floating.h"
#include "vm/program/parse.h"
#include "vm/program/templates.h"
#include "vm/program/verify.h"
#include "vm/run.h"
#include "vm/split.h"

enum { REGISTERS_ON_STACK = 96 };

static bool
inputs_fit(const Program *program, PyObject *const *args, Py_ssize_t count)
{
    if (count != program->input_count) {
        return false;
    }
    for (int i = 0; i < program->input_count; i++) {
        const Register *declared = &program->registers[i];
        if (declared->descr != NULL && declared->ndim >= 0
            && !array_is_of(args[i], declared->descr->type_num, declared->ndim)) {
            return false;
        }
    }
    return true;
}

static PyObject *
outputs_of(const Program *program, PyObject **objects)
{
    if (program->outputs == NULL) {
        if (program->bare < 0 && program->commit >= 0 && objects[program->commit] != NULL) {
            return PyTuple_Pack(1, objects[program->commit]);
        }
        return Py_NewRef(program->bare < 0 ? Py_True : objects[program->bare]);
    }
    PyObject *known = PyDict_New();
    PyObject *made = known == NULL ? NULL : template_build(program->outputs, objects, known);
    Py_XDECREF(known);
    return made;
}

static Status
run_steps(Program *program, PyObject **objects)
{
    PyObject *jobs = NULL;
    Status status = DONE;
    for (int i = 0; i < program->step_count && status == DONE; i++) {
        ProgramStep *step = &program->steps[i];
        switch (step->code) {
        case STEP_SEGMENT:
            status = split_run(program, &step->segment, objects);
            break;
        case STEP_COMMIT:
            status = commit_step(step, objects);
            break;
        case STEP_CALL:
        case STEP_SUBMIT:
        case STEP_JOIN:
            status = call_step(program, step, objects, &jobs);
            break;
        }
        if (status == DONE && i + 1 < program->step_count
            && signal_is_pending(PyThreadState_Get())) {
            status = REPLAY;
        }
        for (int k = 0; k < step->drop_count; k++) {
            Py_CLEAR(objects[step->drops[k]]);
        }
    }
    if (jobs != NULL) {
        call_drain(jobs);
        Py_DECREF(jobs);
    }
    return status;
}

/* Calls the twin, which makes one NumPy call for each node of the graph. */
static PyObject *
run_twin(Program *program, PyObject *const *args, size_t nargsf)
{
    Floating state = {NULL};
    program->twin_runs++;
    if (floating_enter(&state) < 0) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(program->twin, args, nargsf, NULL);
    floating_leave(&state);
    return result;
}

/* Runs the steps. If a step calls Python, NumPy raises in it where it would warn (floating.c). */
static Status
run_guarded(Program *program, PyObject **objects)
{
    Floating state = {NULL};
    if (!program->calls_python) {
        return run_steps(program, objects);
    }
    if (floating_enter(&state) < 0) {
        return FAILED;
    }
    Status status = run_steps(program, objects);
    floating_leave(&state);
    return status;
}

/* None for REPLAY, else NULL with the exception that tells the region why the call ended. */
static PyObject *
refusal(Status status)
{
    switch (status) {
    case REPLAY:
        return Py_NewRef(Py_None);
    case MISFIT:
        PyErr_SetString(PyExc_ValueError, "shapes or indexes do not fit");
        return NULL;
    case FLAGGED:
        PyErr_SetString(PyExc_FloatingPointError, "a floating-point flag is not ignored");
        return NULL;
    case DONE:
    case UNPLANNED:
    case FAILED:
        break;
    }
    return NULL;
}

static PyObject *
run_program(Program *program, PyObject *const *args)
{
    PyObject *on_stack[REGISTERS_ON_STACK], **objects = on_stack;
    if (program->register_count > REGISTERS_ON_STACK) {
        objects = PyMem_New(PyObject *, program->register_count);
        if (objects == NULL) {
            return PyErr_NoMemory();
        }
    }
    int given = program->input_count, first = given + program->constant_count;
    for (int i = 0; i < first; i++) {
        objects[i] = i < given ? args[i] : program->registers[i].constant;
    }
    memset(objects + first, 0, (size_t)(program->register_count - first) * sizeof *objects);
    program->runs++;
    Status status = run_guarded(program, objects);
    PyObject *result = status == DONE ? outputs_of(program, objects) : NULL;
    for (int i = first; i < program->register_count; i++) {
        Py_XDECREF(objects[i]);
    }
    if (objects != on_stack) {
        PyMem_Free(objects);
    }
    return status == DONE ? result : refusal(status);
}

static void
clear(Program *program)
{
    for (int i = 0; i < program->step_count; i++) {
        split_clear(&program->steps[i].segment);
    }
    program_clear(program);
}

/* Moves what was parsed into the program, unless another thread was first. */
static void
adopt(Program *program, Program *parsed, PyObject *spec)
{
    if (program->spec != NULL) {
        clear(parsed);
        return;
    }
    program->registers = parsed->registers;
    program->steps = parsed->steps;
    program->outputs = parsed->outputs;
    program->bare = parsed->bare;
    program->commit = parsed->commit;
    program->input_count = parsed->input_count;
    program->constant_count = parsed->constant_count;
    program->register_count = parsed->register_count;
    program->step_count = parsed->step_count;
    program->calls_python = parsed->calls_python;
    program->spec = Py_NewRef(spec);
}

/* Parses and verifies a copy: other threads may describe the same program meanwhile. */
static int
describe(Program *program)
{
    Program parsed = {.spec = NULL};
    PyObject *spec = PyObject_CallNoArgs(program->describe);
    if (spec == NULL) {
        return -1;
    }
    int status = 0;
    if (spec != Py_None) {
        status = calls_init() < 0 || parse_program(&parsed, spec) < 0 ? -1
                                                                      : verify_program(&parsed);
    }
    if (status < 0) {
        clear(&parsed);
    }
    else {
        adopt(program, &parsed, spec);
    }
    Py_DECREF(spec);
    return status;
}

/* If the description fails, calls report(error). If `report` returns, the program has only the twin
   from then on. An exception from outside, as of a signal handler, is not reported but raised. */
static int
describe_or_report(Program *program)
{
    if (describe(program) == 0) {
        return 0;
    }
    if (program->report == NULL || failure_is_asynchronous(program->describe)) {
        return -1;
    }
    PyObject *kind, *error, *traceback;
    PyErr_Fetch(&kind, &error, &traceback);
    PyErr_NormalizeException(&kind, &error, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(error, traceback);
    }
    PyObject *answer = PyObject_CallOneArg(program->report, error);
    Py_DECREF(kind);
    Py_DECREF(error);
    Py_XDECREF(traceback);
    Py_XDECREF(answer);
    if (answer != NULL && program->spec == NULL) {
        program->spec = Py_NewRef(Py_None);
    }
    return answer == NULL ? -1 : 0;
}

/* Describes the program while signal handlers wait (cpython/signals.h). */
static int
prepare(Program *program)
{
    unsigned long handlers = handlers_hold();
    int status = describe_or_report(program);
    return handlers_release(handlers) < 0 ? -1 : status;
}

static PyObject *
program_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Program *program = (Program *)self;
    if (names != NULL && PyTuple_GET_SIZE(names) != 0) {
        PyErr_SetString(PyExc_TypeError, "a program takes no keyword arguments");
        return NULL;
    }
    Py_INCREF(program);
    PyObject *result = NULL;
    if (program->spec != NULL || prepare(program) == 0) {
        bool machine = program->spec != Py_None
                       && inputs_fit(program, args, PyVectorcall_NARGS(nargsf));
        result = machine ? run_program(program, args) : run_twin(program, args, nargsf);
    }
    Py_DECREF(program);
    return result;
}

/* Program(describe, twin, report=None) ------------------------------------------------------ */
static PyObject *
program_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *describe, *twin, *report = Py_None;
    static char *names[] = {"describe", "twin", "report", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|O:Program", names, &describe, &twin,
                                     &report)) {
        return NULL;
    }
    if (!PyCallable_Check(describe) || !PyCallable_Check(twin)
        || (report != Py_None && !PyCallable_Check(report))) {
        PyErr_SetString(PyExc_TypeError, "a program is made from callables");
        return NULL;
    }
    Program *program = (Program *)type->tp_alloc(type, 0);
    if (program != NULL) {
        program->call = program_call;
        program->describe = Py_NewRef(describe);
        program->twin = Py_NewRef(twin);
        program->report = report == Py_None ? NULL : Py_NewRef(report);
    }
    return (PyObject *)program;
}

static int
program_traverse(PyObject *self, visitproc visit, void *arg)
{
    Program *program = (Program *)self;
    Py_VISIT(program->describe);
    Py_VISIT(program->spec);
    Py_VISIT(program->twin);
    Py_VISIT(program->report);
    return 0;
}

/* A program has no tp_clear, since its steps borrow from the description. What it holds is
   immutable, so another object of a cycle breaks the cycle. */
static void
program_dealloc(PyObject *self)
{
    Program *program = (Program *)self;
    PyObject_GC_UnTrack(self);
    clear(program);
    Py_XDECREF(program->describe);
    Py_XDECREF(program->spec);
    Py_XDECREF(program->twin);
    Py_XDECREF(program->report);
    Py_TYPE(self)->tp_free(self);
}

static PyMemberDef program_members[] = {
    {"spec", T_OBJECT, offsetof(Program, spec), READONLY, "The description it was made from."},
    {"twin", T_OBJECT, offsetof(Program, twin), READONLY, "The same graph as Python calls."},
    {"runs", T_LONGLONG, offsetof(Program, runs), READONLY, "How often it was called."},
    {"twin_runs", T_LONGLONG, offsetof(Program, twin_runs), READONLY,
     "How often the twin had to be called: the inputs were of other kinds."},
    {"nodes_run", T_LONGLONG, offsetof(Program, nodes_run), READONLY,
     "How often NumPy ran a node that has instructions, since there was no plan for its layout."},
    {"plans_made", T_LONGLONG, offsetof(Program, plans_made), READONLY,
     "How often shapes were planned for."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef program_methods[] = {
    {"plans", dump_plans, METH_NOARGS,
     "plans(): for each segment the plan made last, as a dict, or None."},
    {NULL, NULL, 0, NULL},
};

static PyObject *
get_quiet(PyObject *self, void *ignored)
{
    (void)self;
    (void)ignored;
    Py_RETURN_TRUE;
}

static PyGetSetDef program_getset[] = {
    {"quiet", get_quiet, NULL, "It looks after NumPy's floating-point modes itself.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject Program_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.Program",
    .tp_doc = "Program(describe, twin, report=None): a graph that `describe()` lowers, see\n"
              "exec/lower/lowering.py; `report(error)` is told if that fails and only the twin is "
              "left.",
    .tp_basicsize = sizeof(Program),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_HAVE_GC,
    .tp_vectorcall_offset = offsetof(Program, call),
    .tp_call = PyVectorcall_Call,
    .tp_new = program_new,
    .tp_traverse = program_traverse,
    .tp_dealloc = program_dealloc,
    .tp_members = program_members,
    .tp_methods = program_methods,
    .tp_getset = program_getset,
};

int
machine_init(void)
{
    return PyType_Ready(&Program_Type) < 0 || PyType_Ready(&Commit_Type) < 0 || datamem_init() < 0
                   || run_init() < 0
               ? -1
               : 0;
}
