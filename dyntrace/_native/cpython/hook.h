/* The frame hook (PEP 523). */
#ifndef DYNTRACE_CPYTHON_HOOK_H
#define DYNTRACE_CPYTHON_HOOK_H

#include <Python.h>

enum { FRAMES_TO_COMPILE = 200 /* Python frames that dyntrace may need; not taken from a program */ };

PyObject *hook_install(PyObject *module, PyObject *callback);
PyObject *hook_remove(PyObject *module, PyObject *ignored);
PyObject *hook_set(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *hook_forget(PyObject *module, PyObject *code);
PyObject *hook_suspend(PyObject *module, PyObject *ignored);
PyObject *hook_resume(PyObject *module, PyObject *ignored);
int hook_init(void);

#endif
