/* The limits of the machine; those that Python knows as well stand in instructions.def. */
#ifndef DYNTRACE_VM_ARRAY_LIMITS_H
#define DYNTRACE_VM_ARRAY_LIMITS_H

/* A field that holds a code is of its enumeration, so that -Wswitch finds a forgotten case, and as
   small as the codes allow, so that structures do not grow. */
#ifdef __GNUC__
#define SMALL __attribute__((packed))
#else
#define SMALL
#endif

enum {
#define LIMIT(name, value) name = value,
#include "vm/instructions.def"
    LARGEST_ITEM = 32, /* bytes of an element that loops work on */
    LINE_BYTES = 64,   /* of a cache line */
};

#endif
