/* Status: how a call of the machine ends. */
#ifndef DYNTRACE_VM_PROGRAM_STATUS_H
#define DYNTRACE_VM_PROGRAM_STATUS_H

/* DONE: the call has a result. After REPLAY, MISFIT and FLAGGED the original instructions run.
   REPLAY     the machine cannot do it, for a reason that it does not report
   MISFIT     shapes or indexes do not fit
   FLAGGED    a floating-point flag is up whose mode is not "ignore"
   UNPLANNED  nothing has been done, and NumPy has to run a node
   FAILED     an exception is set, or memory is short */
typedef enum { DONE, REPLAY, MISFIT, FLAGGED, UNPLANNED, FAILED } Status;

#endif
