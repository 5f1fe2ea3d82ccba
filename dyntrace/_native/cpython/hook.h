/* The frame hook (PEP 523); hook.c says what it does. */
#ifndef DYNTRACE_CPYTHON_HOOK_H
#define DYNTRACE_CPYTHON_HOOK_H

#include <Python.h>

/* The Python frames that compiling may need. With fewer left below the recursion limit dyntrace
   does not compile. */
enum { FRAMES_TO_COMPILE = 200 };

PyObject *hook_install(PyObject *module, PyObject *callback);
PyObject *hook_remove(PyObject *module, PyObject *ignored);
PyObject *hook_set(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *hook_forget(PyObject *module, PyObject *code);
PyObject *hook_suspend(PyObject *module, PyObject *ignored);
PyObject *hook_resume(PyObject *module, PyObject *ignored);
int hook_init(void);

#endif
