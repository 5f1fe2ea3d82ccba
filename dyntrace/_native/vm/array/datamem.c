/* Memory of new arrays: recycled when the last reference to an array dies.

   glibc gives a block back to the kernel if the block was at the end of the heap or too large for
   the heap. Each page of the next array then faults when it is first written. For arrays of some
   100 KiB the faults take several times as long as computing the elements. So the data of new
   arrays comes from the arena, under a handler (NEP 49) that returns it there. Such an array owns
   its data, can be resized, and is traced by tracemalloc like any other. Arrays that NumPy's
   functions make inside a region have the handler too, since the region's context variables hold it
   (floating.c). A header in front of the data holds the size of the block, since NumPy passes a
   handler only an approximate size.
   Invariant: an array gets the handler only where NumPy would have used its default handler. Read
   os/arena.c for the arena. */
#include "vm/array/datamem.h"

#include <stdlib.h>

#include "os/arena.h"
#include "vm/array/layout.h"

enum {
    HEADER = 64,           /* bytes; keeps the data aligned */
    SMALLEST = 1 << 15,    /* bytes; malloc recycles smaller blocks without the kernel */
    LARGEST = 1 << 25,     /* bytes; malloc, too, gives larger blocks back to the kernel at once */
    KEPT = 1 << 26,        /* bytes that the arena keeps, as many as malloc may keep */
    TRACE_DOMAIN = 389047, /* NumPy's own, see numpy/_core/src/multiarray/alloc.c */
};

static PyObject *handler;
static const PyDataMemAllocator *usual; /* of NumPy's default handler */

/* The handler ----------------------------------------------------------------------------------*/

static bool
is_recycled(size_t bytes)
{
    return bytes >= SMALLEST && bytes <= LARGEST;
}

static void *
behind_header(char *block, size_t bytes)
{
    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &bytes, sizeof bytes);
    return block + HEADER;
}

static size_t
bytes_of(const char *data)
{
    size_t bytes;
    memcpy(&bytes, data - HEADER, sizeof bytes);
    return bytes;
}

static void *
handler_malloc(void *context, size_t bytes)
{
    (void)context;
    if (bytes > SIZE_MAX - HEADER) {
        return NULL;
    }
    size_t size = bytes + HEADER;
    return behind_header(is_recycled(bytes) ? arena_take(size) : usual->malloc(usual->ctx, size),
                         bytes);
}

static void *
handler_calloc(void *context, size_t count, size_t each)
{
    if (each != 0 && count > (SIZE_MAX - HEADER) / each) {
        return NULL;
    }
    size_t bytes = count * each;
    if (!is_recycled(bytes)) {
        return behind_header(usual->calloc(usual->ctx, 1, bytes + HEADER), bytes);
    }
    void *data = handler_malloc(context, bytes);
    return data == NULL ? NULL : memset(data, 0, bytes);
}

static void
handler_free(void *context, void *data, size_t about)
{
    (void)context;
    (void)about;
    if (data == NULL) {
        return;
    }
    char *block = (char *)data - HEADER;
    size_t bytes = bytes_of(data);
    if (is_recycled(bytes)) {
        arena_give_within(block, bytes + HEADER, KEPT);
    }
    else {
        usual->free(usual->ctx, block, bytes + HEADER);
    }
}

static void *
handler_realloc(void *context, void *data, size_t bytes)
{
    void *moved = handler_malloc(context, bytes);
    if (moved != NULL && data != NULL) {
        size_t before = bytes_of(data);
        memcpy(moved, data, before < bytes ? before : bytes);
        handler_free(context, data, before);
    }
    return moved;
}

/* The handler has the name of NumPy's default one, which numpy._core.multiarray.get_handler_name
   shows to the user. */
static PyDataMem_Handler routines = {
    .name = "default_allocator",
    .version = 1,
    .allocator = {NULL, handler_malloc, handler_calloc, handler_realloc, handler_free},
};

/* Whether new arrays of this thread get the wanted handler. */
static bool
is_current(const PyObject *wanted)
{
    PyObject *current = PyDataMem_GetHandler();
    Py_XDECREF(current);
    return current == wanted;
}

/* Sets the handler for arrays of this thread unless the user has set one; -1 with an exception. */
int
datamem_enter(void)
{
    if (!is_current(PyDataMem_DefaultHandler)) {
        return 0;
    }
    PyObject *before = PyDataMem_SetHandler(handler);
    Py_XDECREF(before);
    return before == NULL ? -1 : 0;
}

int
datamem_leave(void)
{
    if (!is_current(handler)) {
        return 0;
    }
    PyObject *inside = PyDataMem_SetHandler(PyDataMem_DefaultHandler);
    Py_XDECREF(inside);
    return inside == NULL ? -1 : 0;
}

/* Arrays ---------------------------------------------------------------------------------------*/

/* Steals `descr`, which must be a number: memory of other dtypes would have to be initialised. */
static PyObject *
new_recycled(PyArray_Descr *descr, const Value *value, const npy_intp *strides, size_t bytes)
{
    char *data = handler_malloc(NULL, bytes);
    if (data == NULL) {
        Py_DECREF(descr);
        return PyErr_NoMemory();
    }
    PyObject *array = PyArray_NewFromDescr(&PyArray_Type, descr, value->ndim, value->dims, strides,
                                           data, NPY_ARRAY_CARRAY, NULL);
    if (array == NULL) {
        handler_free(NULL, data, bytes);
        return NULL;
    }
    PyTraceMalloc_Track(TRACE_DOMAIN, (uintptr_t)data, bytes);
    ((PyArrayObject_fields *)array)->mem_handler = Py_NewRef(handler);
    PyArray_ENABLEFLAGS((PyArrayObject *)array, NPY_ARRAY_OWNDATA);
    return array;
}

PyObject *
datamem_array(PyArray_Descr *descr, const Value *value, const npy_intp *strides)
{
    size_t bytes = (size_t)(layout_size(value->ndim, value->dims) * PyDataType_ELSIZE(descr));
    Py_INCREF(descr);
    if (is_recycled(bytes) && (is_current(PyDataMem_DefaultHandler) || is_current(handler))) {
        return new_recycled(descr, value, strides, bytes);
    }
    return PyArray_NewFromDescr(&PyArray_Type, descr, value->ndim, value->dims, strides, NULL, 0,
                                NULL);
}

int
datamem_init(void)
{
    PyDataMem_Handler *numpy = PyCapsule_GetPointer(PyDataMem_DefaultHandler, "mem_handler");
    if (numpy == NULL) {
        return -1;
    }
    usual = &numpy->allocator;
    handler = PyCapsule_New(&routines, "mem_handler", NULL);
    return handler == NULL ? -1 : 0;
}
