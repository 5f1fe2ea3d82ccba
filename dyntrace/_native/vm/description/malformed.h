/* The exception for a malformed description of a program. */
#ifndef DYNTRACE_VM_DESCRIPTION_MALFORMED_H
#define DYNTRACE_VM_DESCRIPTION_MALFORMED_H

int malformed(const char *text); /* -1 with ValueError, or with the exception that is set */

#endif
