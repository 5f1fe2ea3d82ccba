/* Status: how a call of the machine ends. */
#ifndef DYNTRACE_VM_PROGRAM_STATUS_H
#define DYNTRACE_VM_PROGRAM_STATUS_H

/* Why a call ends without a result. The original instructions run: REPLAY, nothing more is known;
   MISFIT, shapes or indexes do not fit; FLAGGED, a floating-point flag is up. UNPLANNED: nothing has
   been done, and NumPy has to run a node.
   FAILED: an exception is set, or memory is short. */
typedef enum { DONE, REPLAY, MISFIT, FLAGGED, UNPLANNED, FAILED } Status;

#endif
