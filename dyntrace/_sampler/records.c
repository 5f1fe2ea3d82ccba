/* Records: what is known of each code object that a look has met.

   A record lives in the code object's co_extra (PEP 523), so it dies with the code object. */
#include "sampler.h"

static Py_ssize_t extra_index = -1;

static void
drop(void *extra)
{
    Record *record = extra;
    if (record != NULL) {
        Py_XDECREF(record->replacement);
        PyMem_Free(record);
    }
}

int
records_init(void)
{
    extra_index = _PyEval_RequestCodeExtraIndex(drop);
    if (extra_index < 0) {
        PyErr_SetString(PyExc_ImportError, "no room for another co_extra index");
        return -1;
    }
    return 0;
}

Record *
records_find(PyCodeObject *code)
{
    void *extra = NULL;
    if (_PyCode_GetExtra((PyObject *)code, extra_index, &extra) < 0) {
        PyErr_Clear();
    }
    return extra;
}

Record *
records_make(PyCodeObject *code)
{
    Record *record = records_find(code);
    if (record != NULL) {
        return record;
    }
    record = PyMem_Calloc(1, sizeof(Record));
    if (record == NULL) {
        return NULL;
    }
    if (_PyCode_SetExtra((PyObject *)code, extra_index, record) < 0) {
        PyErr_Clear();
        PyMem_Free(record);
        return NULL;
    }
    return record;
}
