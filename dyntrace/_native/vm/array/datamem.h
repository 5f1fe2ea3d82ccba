/* Memory of new arrays, recycled when the last reference to an array dies. */
#ifndef DYNTRACE_VM_ARRAY_DATAMEM_H
#define DYNTRACE_VM_ARRAY_DATAMEM_H

#include "vm/array/value.h"

/* A new array of a number dtype with undefined elements; `strides` NULL: in C order. */
PyObject *datamem_array(PyArray_Descr *descr, const Value *value, const npy_intp *strides);
/* Set and reset the handler in the context variables of the thread; -1 with an exception. */
int datamem_enter(void);
int datamem_leave(void);
int datamem_init(void); /* after array_init */

#endif
