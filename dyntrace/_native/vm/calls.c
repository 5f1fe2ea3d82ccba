/* Calls: builds the arguments from registers, calls Python, checks the result.

   A step may submit a large independent call to another thread (exec/jobs/threads.py); a later step
   joins it. Invariant: a register declared to be an array holds an array of its dtype and number of
   dimensions, whatever the callable returned. Read program/templates.c for arguments. */
#include "vm/calls.h"

#include "vm/array/arrays.h"
#include "vm/program/templates.h"

static PyObject *submit, *drain, *job_type, *check;

/* Whether the result is of the declared kind: any object (None), an instance of exactly a type, or
   what exec/checks.py accepts for a kind in a tuple. */
static bool
is_of_kind(const Program *program, const PythonCall *call, PyObject *value)
{
    const Register *declared = &program->registers[call->reg];
    if (declared->descr != NULL && declared->ndim >= 0) {
        return array_is_of(value, declared->descr->type_num, declared->ndim);
    }
    if (call->kind == Py_None) {
        return true;
    }
    if (PyType_Check(call->kind)) {
        return (PyObject *)Py_TYPE(value) == call->kind;
    }
    PyObject *answer =
        PyObject_CallFunctionObjArgs(check, value, PyTuple_GET_ITEM(call->kind, 0), NULL);
    Py_XDECREF(answer);
    return answer != NULL;
}

enum { FEW = 12 }; /* arguments on the stack */

/* Calls the callable, or submit(jobs, callable, ...) if `first` is the list of jobs. */
static PyObject *
call_now(const PythonCall *call, PyObject **objects, PyObject *first, PyObject *second)
{
    PyObject *few[FEW + 3], **arguments = few;
    Py_ssize_t count = PyTuple_GET_SIZE(call->arguments), built = 1;
    PyObject *callable = call->callable, *result = NULL;
    if (count > FEW) {
        arguments = PyMem_New(PyObject *, count + 3);
        if (arguments == NULL) {
            return PyErr_NoMemory();
        }
    }
    arguments[0] = NULL;
    if (first != NULL) { /* submit(jobs, function, ...) */
        callable = submit;
        arguments[built++] = Py_NewRef(first);
        arguments[built++] = Py_NewRef(second);
    }
    Py_ssize_t ahead = built;
    for (Py_ssize_t i = 0; i < count; i++) {
        arguments[built] = template_build(PyTuple_GET_ITEM(call->arguments, i), objects, NULL);
        if (arguments[built] == NULL) {
            goto done;
        }
        built++;
    }
    Py_ssize_t keywords = call->keywords == NULL ? 0 : PyTuple_GET_SIZE(call->keywords);
    size_t positional = (size_t)(count - keywords + ahead - 1);
    result = PyObject_Vectorcall(callable, arguments + 1,
                                 positional | PY_VECTORCALL_ARGUMENTS_OFFSET, call->keywords);
done:
    for (Py_ssize_t i = 1; i < built; i++) {
        Py_DECREF(arguments[i]);
    }
    if (arguments != few) {
        PyMem_Free(arguments);
    }
    return result;
}

static bool
is_large(const ProgramStep *step, PyObject **objects)
{
    PyObject *array = objects[step->array];
    return array != NULL && PyArray_Check(array)
           && PyArray_NBYTES((PyArrayObject *)array) >= step->least_bytes;
}

static PyObject *
submit_step(const ProgramStep *step, PyObject **objects, PyObject **jobs)
{
    if (!is_large(step, objects)) {
        return call_now(&step->call, objects, NULL, NULL);
    }
    if (*jobs == NULL) {
        *jobs = PyList_New(0);
    }
    return *jobs == NULL ? NULL : call_now(&step->call, objects, *jobs, step->call.callable);
}

/* Waits for the job in the register; an object that is no job was computed at once. */
static PyObject *
join_step(const ProgramStep *step, PyObject **objects)
{
    PyObject *found = objects[step->call.reg];
    if ((PyObject *)Py_TYPE(found) != job_type) {
        return Py_NewRef(found);
    }
    return PyObject_CallMethod(found, "wait", NULL);
}

/* Stores the result in its register. REPLAY: it is not of the declared kind. */
static Status
keep(const Program *program, const PythonCall *call, PyObject **objects, PyObject *result,
     bool checked)
{
    if (result == NULL) {
        return FAILED;
    }
    Py_XSETREF(objects[call->reg], result);
    if (!checked || is_of_kind(program, call, result)) {
        return DONE;
    }
    return PyErr_Occurred() ? FAILED : REPLAY;
}

Status
call_run(const Program *program, const PythonCall *call, PyObject **objects)
{
    return keep(program, call, objects, call_now(call, objects, NULL, NULL), true);
}

Status
call_step(const Program *program, const ProgramStep *step, PyObject **objects, PyObject **jobs)
{
    switch (step->code) {
    case STEP_SUBMIT:
        return keep(program, &step->call, objects, submit_step(step, objects, jobs), false);
    case STEP_JOIN:
        return keep(program, &step->call, objects, join_step(step, objects), true);
    case STEP_CALL:
        return call_run(program, &step->call, objects);
    case STEP_SEGMENT:
    case STEP_COMMIT:
        break;
    }
    return REPLAY;
}

void
call_drain(PyObject *jobs)
{
    PyObject *kind, *error, *traceback;
    PyErr_Fetch(&kind, &error, &traceback);
    PyObject *answer = PyObject_CallOneArg(drain, jobs);
    if (answer == NULL) {
        PyErr_WriteUnraisable(drain);
    }
    Py_XDECREF(answer);
    PyErr_Restore(kind, error, traceback);
}

/* Runs when the first program is described, since these modules import the extension. */
int
calls_init(void)
{
    if (submit != NULL && drain != NULL && job_type != NULL && check != NULL) {
        return 0;
    }
    PyObject *threads = PyImport_ImportModule("dyntrace.exec.jobs.threads");
    PyObject *checks = threads == NULL ? NULL : PyImport_ImportModule("dyntrace.exec.checks");
    if (checks != NULL) {
        Py_XSETREF(submit, PyObject_GetAttrString(threads, "submit"));
        Py_XSETREF(drain, submit == NULL ? NULL : PyObject_GetAttrString(threads, "drain"));
        Py_XSETREF(job_type, drain == NULL ? NULL : PyObject_GetAttrString(threads, "Job"));
        Py_XSETREF(check, job_type == NULL ? NULL : PyObject_GetAttrString(checks, "check"));
    }
    Py_XDECREF(threads);
    Py_XDECREF(checks);
    return check != NULL ? 0 : -1;
}
