/* Inner loops: NumPy's, from the capsule that `ufunc._get_strided_loop` fills in
   (numpy/_core/src/umath/ufunc_object.c), and loops for copies, casts and `where`, which NumPy does
   not export.

   Each has the signature PyArrayMethod_StridedLoop. The table of casts lacks float to integer,
   whose result is undefined in C for values out of range, and half precision; NumPy runs what needs
   them. Invariant: a loop needs no GIL and sets no exception. Read group/tiles.c for who calls
   loops. */
#include "vm/loops/loops.h"

#include <complex.h>

#define NO_IMPORT_UFUNC
#include <numpy/ufuncobject.h>

#include "vm/description/record.h"

/* The capsule's content, as the docstring of `ufunc._get_strided_loop` gives it. */
typedef struct {
    PyArrayMethod_StridedLoop *strided_loop;
    PyArrayMethod_Context *context;
    NpyAuxData *auxdata;
    npy_bool requires_pyapi;
    npy_bool no_floatingpoint_errors;
} CallInfo;

static const char CAPSULE[] = "numpy_1.24_ufunc_call_info";

/* Copies and selections --------------------------------------------------------------------- */
typedef struct {
    uint64_t words[2];
} Pair;
typedef struct {
    uint64_t words[4];
} Quad;

#define UNUSED_LOOP_ARGS (void)context, (void)auxdata

#define MOVES(SUFFIX, TYPE)                                                                      \
    static int copy_##SUFFIX(PyArrayMethod_Context *context, char *const *data,                  \
                             const npy_intp *count, const npy_intp *strides,                     \
                             NpyAuxData *auxdata)                                                \
    {                                                                                            \
        UNUSED_LOOP_ARGS;                                                                        \
        const char *from = data[0];                                                              \
        char *to = data[1];                                                                      \
        if (strides[0] == (npy_intp)sizeof(TYPE) && strides[1] == (npy_intp)sizeof(TYPE)) {      \
            memmove(to, from, (size_t)*count * sizeof(TYPE));                                    \
            return 0;                                                                            \
        }                                                                                        \
        for (npy_intp i = 0; i < *count; i++, from += strides[0], to += strides[1]) {            \
            *(TYPE *)to = *(const TYPE *)from;                                                   \
        }                                                                                        \
        return 0;                                                                                \
    }                                                                                            \
    static int select_##SUFFIX(PyArrayMethod_Context *context, char *const *data,                \
                               const npy_intp *count, const npy_intp *strides,                   \
                               NpyAuxData *auxdata)                                              \
    {                                                                                            \
        UNUSED_LOOP_ARGS;                                                                        \
        const char *mask = data[0], *one = data[1], *other = data[2];                            \
        char *to = data[3];                                                                      \
        npy_intp size = sizeof(TYPE);                                                            \
        if (strides[0] == 1 && strides[1] == size && strides[2] == size && strides[3] == size) { \
            for (npy_intp i = 0; i < *count; i++) {                                              \
                TYPE a = ((const TYPE *)one)[i], b = ((const TYPE *)other)[i];                   \
                ((TYPE *)to)[i] = mask[i] ? a : b;                                               \
            }                                                                                    \
            return 0;                                                                            \
        }                                                                                        \
        for (npy_intp i = 0; i < *count; i++) {                                                  \
            *(TYPE *)to = *(const TYPE *)(*mask ? one : other);                                  \
            mask += strides[0], one += strides[1], other += strides[2], to += strides[3];        \
        }                                                                                        \
        return 0;                                                                                \
    }

MOVES(1, uint8_t)
MOVES(2, uint16_t)
MOVES(4, uint32_t)
MOVES(8, uint64_t)
MOVES(16, Pair)
MOVES(32, Quad)

#define PICK(NAME)                                                                               \
    switch (itemsize) {                                                                          \
    case 1: return NAME##_1;                                                                     \
    case 2: return NAME##_2;                                                                     \
    case 4: return NAME##_4;                                                                     \
    case 8: return NAME##_8;                                                                     \
    case 16: return NAME##_16;                                                                   \
    case 32: return NAME##_32;                                                                   \
    default: return NULL;                                                                        \
    }

PyArrayMethod_StridedLoop *
loop_copy(npy_intp itemsize)
{
    PICK(copy)
}

static PyArrayMethod_StridedLoop *
select_loop(npy_intp itemsize)
{
    PICK(select)
}

#if defined(__x86_64__)
#include <emmintrin.h>

/* Copies `count` bytes. A streaming store does not read the cache line that it writes, which saves
   a third of the memory traffic. */
static int
copy_streaming(PyArrayMethod_Context *context, char *const *data, const npy_intp *count,
               const npy_intp *strides, NpyAuxData *auxdata)
{
    UNUSED_LOOP_ARGS, (void)strides;
    const char *from = data[0];
    char *to = data[1];
    npy_intp left = *count, head = (npy_intp)(-(uintptr_t)to & 15);
    head = head < left ? head : left;
    memcpy(to, from, (size_t)head);
    for (from += head, to += head, left -= head; left >= 16; from += 16, to += 16, left -= 16) {
        _mm_stream_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
    }
    memcpy(to, from, (size_t)left);
    return 0;
}

PyArrayMethod_StridedLoop *
loop_stream(void)
{
    return copy_streaming;
}
#else
PyArrayMethod_StridedLoop *
loop_stream(void)
{
    return NULL;
}
#endif

/* Casts ------------------------------------------------------------------------------------- */
#define REALS(DO, FROM, TYPE)                                                                    \
    DO(FROM, TYPE, float, npy_float)                                                             \
    DO(FROM, TYPE, double, npy_double)                                                           \
    DO(FROM, TYPE, longdouble, npy_longdouble)
#define INTEGERS(DO, FROM, TYPE)                                                                 \
    DO(FROM, TYPE, byte, npy_byte)                                                               \
    DO(FROM, TYPE, ubyte, npy_ubyte)                                                             \
    DO(FROM, TYPE, short, npy_short)                                                             \
    DO(FROM, TYPE, ushort, npy_ushort)                                                           \
    DO(FROM, TYPE, int, npy_int)                                                                 \
    DO(FROM, TYPE, uint, npy_uint)                                                               \
    DO(FROM, TYPE, long, npy_long)                                                               \
    DO(FROM, TYPE, ulong, npy_ulong)                                                             \
    DO(FROM, TYPE, longlong, npy_longlong)                                                       \
    DO(FROM, TYPE, ulonglong, npy_ulonglong)
#define COMPLEXES(DO, FROM, TYPE)                                                                \
    DO(FROM, TYPE, cfloat, float complex)                                                        \
    DO(FROM, TYPE, cdouble, double complex)                                                      \
    DO(FROM, TYPE, clongdouble, long double complex)

#define CAST_LOOP(FROM, TYPE, TO, RESULT, EXPRESSION)                                            \
    static int cast_##FROM##_##TO(PyArrayMethod_Context *context, char *const *data,             \
                                  const npy_intp *count, const npy_intp *strides,                \
                                  NpyAuxData *auxdata)                                           \
    {                                                                                            \
        UNUSED_LOOP_ARGS;                                                                        \
        const char *from = data[0];                                                              \
        char *to = data[1];                                                                      \
        if (strides[0] == (npy_intp)sizeof(TYPE) && strides[1] == (npy_intp)sizeof(RESULT)) {    \
            for (npy_intp i = 0; i < *count; i++) {                                              \
                TYPE x = ((const TYPE *)from)[i];                                                \
                ((RESULT *)to)[i] = EXPRESSION;                                                  \
            }                                                                                    \
            return 0;                                                                            \
        }                                                                                        \
        for (npy_intp i = 0; i < *count; i++, from += strides[0], to += strides[1]) {            \
            TYPE x = *(const TYPE *)from;                                                        \
            *(RESULT *)to = EXPRESSION;                                                          \
        }                                                                                        \
        return 0;                                                                                \
    }

#define PLAIN(FROM, TYPE, TO, RESULT) CAST_LOOP(FROM, TYPE, TO, RESULT, (RESULT)x)
#define TRUTH(FROM, TYPE) CAST_LOOP(FROM, TYPE, truth, npy_bool, x != 0)

#define OF_INTEGER(FROM, TYPE)                                                                   \
    INTEGERS(PLAIN, FROM, TYPE) REALS(PLAIN, FROM, TYPE) COMPLEXES(PLAIN, FROM, TYPE)            \
    TRUTH(FROM, TYPE)
#define OF_REAL(FROM, TYPE)                                                                      \
    REALS(PLAIN, FROM, TYPE) COMPLEXES(PLAIN, FROM, TYPE) TRUTH(FROM, TYPE)
#define OF_COMPLEX(FROM, TYPE) COMPLEXES(PLAIN, FROM, TYPE) TRUTH(FROM, TYPE)

#define EACH_INTEGER(DO)                                                                         \
    DO(byte, npy_byte)                                                                           \
    DO(ubyte, npy_ubyte)                                                                         \
    DO(short, npy_short)                                                                         \
    DO(ushort, npy_ushort)                                                                       \
    DO(int, npy_int)                                                                             \
    DO(uint, npy_uint)                                                                           \
    DO(long, npy_long)                                                                           \
    DO(ulong, npy_ulong)                                                                         \
    DO(longlong, npy_longlong)                                                                   \
    DO(ulonglong, npy_ulonglong)
#define EACH_REAL(DO) DO(float, npy_float) DO(double, npy_double) DO(longdouble, npy_longdouble)
#define EACH_COMPLEX(DO)                                                                         \
    DO(cfloat, float complex) DO(cdouble, double complex) DO(clongdouble, long double complex)

/* The byte of a bool need not be 0 or 1; every byte but 0 casts to 1. */
#define TRUTH_AS(FROM, TYPE, TO, RESULT) CAST_LOOP(FROM, TYPE, TO, RESULT, (RESULT)(x != 0))
INTEGERS(TRUTH_AS, truth, npy_bool)
REALS(TRUTH_AS, truth, npy_bool)
COMPLEXES(TRUTH_AS, truth, npy_bool)
TRUTH(truth, npy_bool)

EACH_INTEGER(OF_INTEGER)
EACH_REAL(OF_REAL)
EACH_COMPLEX(OF_COMPLEX)

#define NUMBER_truth NPY_BOOL
#define NUMBER_byte NPY_BYTE
#define NUMBER_ubyte NPY_UBYTE
#define NUMBER_short NPY_SHORT
#define NUMBER_ushort NPY_USHORT
#define NUMBER_int NPY_INT
#define NUMBER_uint NPY_UINT
#define NUMBER_long NPY_LONG
#define NUMBER_ulong NPY_ULONG
#define NUMBER_longlong NPY_LONGLONG
#define NUMBER_ulonglong NPY_ULONGLONG
#define NUMBER_float NPY_FLOAT
#define NUMBER_double NPY_DOUBLE
#define NUMBER_longdouble NPY_LONGDOUBLE
#define NUMBER_cfloat NPY_CFLOAT
#define NUMBER_cdouble NPY_CDOUBLE
#define NUMBER_clongdouble NPY_CLONGDOUBLE

#define ROW(FROM, TYPE, TO, RESULT) [NUMBER_##FROM][NUMBER_##TO] = cast_##FROM##_##TO,
#define ROWS_OF_INTEGER(FROM, TYPE)                                                              \
    INTEGERS(ROW, FROM, TYPE) REALS(ROW, FROM, TYPE) COMPLEXES(ROW, FROM, TYPE)                  \
    ROW(FROM, TYPE, truth, npy_bool)
#define ROWS_OF_REAL(FROM, TYPE)                                                                 \
    REALS(ROW, FROM, TYPE) COMPLEXES(ROW, FROM, TYPE) ROW(FROM, TYPE, truth, npy_bool)
#define ROWS_OF_COMPLEX(FROM, TYPE) COMPLEXES(ROW, FROM, TYPE) ROW(FROM, TYPE, truth, npy_bool)

static PyArrayMethod_StridedLoop *const CASTS[NPY_CLONGDOUBLE + 1][NPY_CLONGDOUBLE + 1] = {
    ROWS_OF_INTEGER(truth, npy_bool) EACH_INTEGER(ROWS_OF_INTEGER) EACH_REAL(ROWS_OF_REAL)
    EACH_COMPLEX(ROWS_OF_COMPLEX)
};

PyArrayMethod_StridedLoop *
loop_cast(int from, int to)
{
    bool known = from >= 0 && to >= 0 && from <= NPY_CLONGDOUBLE && to <= NPY_CLONGDOUBLE;
    return known ? CASTS[from][to] : NULL;
}

/* Loops ------------------------------------------------------------------------------------- */
static int
take_descriptors(Loop *loop, PyObject *dtypes)
{
    Py_ssize_t count = PyTuple_Check(dtypes) ? PyTuple_GET_SIZE(dtypes) : -1;
    if (count > MAX_ARGS || loop->nin < 1 || loop->nin >= count) {
        PyErr_SetString(PyExc_ValueError, "a loop has one dtype for each operand");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *dtype = PyTuple_GET_ITEM(dtypes, i);
        if (!PyArray_DescrCheck(dtype)) {
            PyErr_SetString(PyExc_TypeError, "a loop's operands have dtypes");
            return -1;
        }
        loop->descr[i] = (PyArray_Descr *)Py_NewRef(dtype);
    }
    return 0;
}

/* Whether the capsule's loop has the operands and dtypes of the description. */
static bool
takes_operands(const Loop *loop, const PyArrayMethod_Context *context)
{
    const PyUFuncObject *ufunc = (const PyUFuncObject *)context->caller;
    if (ufunc == NULL || ufunc->nargs != loop->nin + loop->nout) {
        return false;
    }
    for (int i = 0; i < ufunc->nargs; i++) {
        if (context->descriptors[i]->type_num != loop->descr[i]->type_num) {
            return false;
        }
    }
    return true;
}

static int
take_capsule(Loop *loop, PyObject *capsule)
{
    CallInfo *info = PyCapsule_GetPointer(capsule, CAPSULE);
    if (info == NULL) {
        return -1;
    }
    if (!takes_operands(loop, info->context)) {
        PyErr_SetString(PyExc_ValueError, "the loop is for other operands");
        return -1;
    }
    if (info->strided_loop == NULL || info->requires_pyapi) {
        PyErr_SetString(PyExc_ValueError, "the loop is not filled in, or needs Python");
        return -1;
    }
    loop->function = info->strided_loop;
    loop->context = info->context;
    loop->auxdata = info->auxdata;
    loop->flags = !info->no_floatingpoint_errors;
    loop->capsule = Py_NewRef(capsule);
    return 0;
}

/* The loop "where" or "copy" for the dtypes of the description. */
static int
take_own(Loop *loop, const char *name)
{
    npy_intp itemsize = PyDataType_ELSIZE(loop->descr[loop->nin]);
    bool same = loop->nout == 1;
    for (int i = loop->nin == 3; i < loop->nin; i++) {
        same &= loop->descr[i]->type_num == loop->descr[loop->nin]->type_num;
    }
    loop->exact = EXACT;
    if (same && strcmp(name, "where") == 0 && loop->nin == 3
        && loop->descr[0]->type_num == NPY_BOOL) {
        loop->function = select_loop(itemsize);
    }
    else if (same && strcmp(name, "copy") == 0 && loop->nin == 1) {
        loop->function = loop_copy(itemsize);
    }
    if (loop->function == NULL) {
        PyErr_Format(PyExc_ValueError, "there is no loop '%s' for these operands", name);
        return -1;
    }
    return 0;
}

static int
take_fields(Loop *loop, PyObject *description)
{
    PyObject *source = FIELD(LOOP, source, description), *dtypes = FIELD(LOOP, dtypes, description);
    int exact;
    if (record_int(FIELD(LOOP, input_count, description), 1, MAX_ARGS, &loop->nin) < 0
        || record_int(FIELD(LOOP, exactness, description), 0, EXACT, &exact) < 0
        || record_flag(FIELD(LOOP, clears, description), &loop->clears) < 0) {
        return -1;
    }
    loop->nout = PyTuple_Check(dtypes) ? (int)PyTuple_GET_SIZE(dtypes) - loop->nin : 0;
    loop->exact = (Exactness)exact;
    loop->cost = (float)PyFloat_AsDouble(FIELD(LOOP, cost, description));
    if (PyErr_Occurred() || take_descriptors(loop, dtypes) < 0) {
        return -1;
    }
    if (!PyUnicode_Check(source)) {
        return take_capsule(loop, source);
    }
    const char *name = PyUnicode_AsUTF8(source);
    return name == NULL ? -1 : take_own(loop, name);
}

Loop *
loop_new(PyObject *description)
{
    if (!IS_RECORD(LOOP, description)) {
        return NULL;
    }
    Loop *loop = PyMem_Calloc(1, sizeof *loop);
    if (loop == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (take_fields(loop, description) < 0) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void
loop_free(Loop *loop)
{
    if (loop == NULL) {
        return;
    }
    for (int i = 0; i < MAX_ARGS; i++) {
        Py_XDECREF(loop->descr[i]);
    }
    Py_XDECREF(loop->capsule);
    PyMem_Free(loop);
}
