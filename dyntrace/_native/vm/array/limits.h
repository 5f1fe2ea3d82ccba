/* The limits of the machine. vm/instructions.def holds those that Python reads, too. */
#ifndef DYNTRACE_VM_ARRAY_LIMITS_H
#define DYNTRACE_VM_ARRAY_LIMITS_H

/* A field that holds a code has the type of its enumeration, so that -Wswitch finds a forgotten
   case. SMALL gives that type the fewest bytes that hold its codes. */
#ifdef __GNUC__
#define SMALL __attribute__((packed))
#else
#define SMALL
#endif

enum {
#define LIMIT(name, value) name = value,
#include "vm/instructions.def"
    LARGEST_ITEM = 32, /* bytes of the largest element, a complex long double */
    LINE_BYTES = 64,   /* of a cache line */
};

#endif
