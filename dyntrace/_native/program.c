/* Program: a callable that runs a lowered graph, or its Python twin where it cannot.

   Invariants: calling it gives what `dyntrace/exec/protocol.py` says, or None for "run the original
   instructions"; it holds references to everything it reads while it runs; it may be called by
   several threads at once and from within itself. */
#define VM_IMPORTS_ARRAY
#include "native.h"

#include "vm.h"

#include <structmember.h>

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
            && !is_array_of(args[i], declared->descr->type_num, declared->ndim)) {
            return false;
        }
    }
    return true;
}

static PyObject *
outputs_of(const Program *program, PyObject **objects)
{
    if (program->outputs == NULL) {
        return Py_NewRef(program->bare < 0 ? Py_True : objects[program->bare]);
    }
    PyObject *known = PyDict_New();
    PyObject *made = known == NULL ? NULL : build(program->outputs, objects, known);
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
        status = step->code == STEP_SEGMENT ? segment_run(program, &step->segment, objects)
                                            : call_step(program, step, objects, &jobs);
    }
    if (jobs != NULL) {
        settle_jobs(jobs);
        Py_DECREF(jobs);
    }
    return status;
}

/* The graph as one NumPy call for each node; warnings raise meanwhile, as in any region. */
static PyObject *
run_twin(Program *program, PyObject *const *args, size_t nargsf)
{
    Floating state = {NULL};
    program->twin_runs++;
    if (program->quiet && floating_enter(&state) < 0) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(program->twin, args, nargsf, NULL);
    floating_leave(&state);
    return result;
}

static PyObject *
program_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Program *program = (Program *)self;
    PyObject *on_stack[REGISTERS_ON_STACK], **objects = on_stack, *result = NULL;
    if (names != NULL && PyTuple_GET_SIZE(names) != 0) {
        PyErr_SetString(PyExc_TypeError, "a program takes no keyword arguments");
        return NULL;
    }
    if (!inputs_fit(program, args, PyVectorcall_NARGS(nargsf))) {
        return run_twin(program, args, nargsf);
    }
    if (program->register_count > REGISTERS_ON_STACK) {
        objects = PyMem_New(PyObject *, program->register_count);
        if (objects == NULL) {
            return PyErr_NoMemory();
        }
    }
    int given = program->input_count, first = given + program->constant_count;
    for (int i = 0; i < given; i++) {
        objects[i] = args[i];
    }
    for (int i = given; i < first; i++) {
        objects[i] = program->registers[i].constant;
    }
    memset(objects + first, 0, (size_t)(program->register_count - first) * sizeof *objects);
    Py_INCREF(program);
    program->runs++;
    Status status = run_steps(program, objects);
    if (status == DONE) {
        result = outputs_of(program, objects);
    }
    else if (status == DECLINED) {
        result = Py_NewRef(Py_None);
    }
    for (int i = first; i < program->register_count; i++) {
        Py_XDECREF(objects[i]);
    }
    if (objects != on_stack) {
        PyMem_Free(objects);
    }
    if (status == UNSUPPORTED) {
        result = run_twin(program, args, nargsf);
    }
    Py_DECREF(program);
    return result;
}

/* Program(spec, twin) ----------------------------------------------------------------------- */
static PyObject *
program_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *spec, *twin;
    static char *names[] = {"spec", "twin", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!O:Program", names, &PyTuple_Type, &spec,
                                     &twin)) {
        return NULL;
    }
    if (calls_init() < 0) {
        return NULL;
    }
    if (!PyCallable_Check(twin)) {
        PyErr_SetString(PyExc_TypeError, "the twin of a program must be callable");
        return NULL;
    }
    Program *program = (Program *)type->tp_alloc(type, 0);
    if (program == NULL) {
        return NULL;
    }
    program->call = program_call;
    program->spec = Py_NewRef(spec);
    program->twin = Py_NewRef(twin);
    if (parse_program(program, spec) < 0) {
        Py_CLEAR(program);
    }
    return (PyObject *)program;
}

static int
program_traverse(PyObject *self, visitproc visit, void *arg)
{
    Program *program = (Program *)self;
    Py_VISIT(program->spec);
    Py_VISIT(program->twin);
    return 0;
}

/* Without tp_clear: what a program holds is immutable, and its steps borrow from the description. */
static void
program_dealloc(PyObject *self)
{
    Program *program = (Program *)self;
    PyObject_GC_UnTrack(self);
    clear_program(program);
    Py_XDECREF(program->spec);
    Py_XDECREF(program->twin);
    Py_TYPE(self)->tp_free(self);
}

static PyMemberDef program_members[] = {
    {"spec", T_OBJECT, offsetof(Program, spec), READONLY, "The description it was made from."},
    {"twin", T_OBJECT, offsetof(Program, twin), READONLY, "The same graph as Python calls."},
    {"quiet", T_BOOL, offsetof(Program, quiet), READONLY,
     "Whether it calls no Python, and looks after NumPy's floating-point modes itself."},
    {"runs", T_LONGLONG, offsetof(Program, runs), READONLY, "How often it was called."},
    {"twin_runs", T_LONGLONG, offsetof(Program, twin_runs), READONLY,
     "How often the twin had to be called."},
    {"plans_made", T_LONGLONG, offsetof(Program, plans_made), READONLY,
     "How often shapes were planned for."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject Program_Type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "dyntrace._native.Program",
    .tp_doc = "Program(spec, twin): a lowered graph; see dyntrace/exec/lowering.py.",
    .tp_basicsize = sizeof(Program),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_HAVE_GC,
    .tp_vectorcall_offset = offsetof(Program, call),
    .tp_call = PyVectorcall_Call,
    .tp_new = program_new,
    .tp_traverse = program_traverse,
    .tp_dealloc = program_dealloc,
    .tp_members = program_members,
};

int
vm_init(void)
{
    if (PyArray_ImportNumPyAPI() < 0) {
        return -1;
    }
    return PyType_Ready(&Program_Type) < 0 || run_init() < 0 ? -1 : 0;
}
