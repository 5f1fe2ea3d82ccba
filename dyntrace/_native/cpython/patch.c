/* Patching: frames jump over a stub from now on, including those that run its code already.

   Invariants: one code unit changes, the first of the stub, so every frame stands either before or
   after the change. A unit that a tool has instrumented does not change. The twin, which makes a
   new code object, is in weaving/bypasses.py; read that next. */
#include "cpython/frame_py3xx.h"

#include "cpython/patch.h"

static bool
patch(PyCodeObject *code, Py_ssize_t begin, Py_ssize_t target)
{
    Py_ssize_t length = Py_SIZE(code), distance = target - begin - 1;
    if (begin < 0 || distance < 0 || distance > UINT8_MAX || target >= length
        || is_instrumented(PyThreadState_Get()) || !unit_is_patchable(code, begin)) {
        return false;
    }
    unit_set_jump(code, begin, (uint8_t)distance);
    code_forget_copies(code);
    return true;
}

PyObject *
patch_jump(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 3 || !PyCode_Check(args[0]) || !PyLong_CheckExact(args[1])
        || !PyLong_CheckExact(args[2])) {
        PyErr_SetString(PyExc_TypeError, "patch_jump(code, byte_offset, target_byte_offset)");
        return NULL;
    }
    const Py_ssize_t unit = (Py_ssize_t)sizeof(_Py_CODEUNIT);
    Py_ssize_t begin = PyNumber_AsSsize_t(args[1], NULL);
    Py_ssize_t target = PyNumber_AsSsize_t(args[2], NULL);
    if (begin % unit != 0 || target % unit != 0) {
        Py_RETURN_FALSE;
    }
    return PyBool_FromLong(patch((PyCodeObject *)args[0], begin / unit, target / unit));
}
