/* job.h -- one primitive of oneDNN with the tensors that it works on.
 *
 * Made once; a run sets the addresses and executes. The primitive's scratchpad is memory that the
 * host hands in. oneDNN's parallel loops are cut for, and run on, the calling thread alone: inside
 * onednn_alone_begin .. _end OpenMP's setting for this thread is one thread, and what the thread
 * had before is put back. */
#ifndef ONEDNN_JOB_H
#define ONEDNN_JOB_H
#include <dnnl.h>
#include <anpe/plugin.h>

enum { JOB_ARGUMENTS = 6 };

typedef struct job {
    dnnl_primitive_t primitive; /* NULL: there is none */
    int n;
    dnnl_exec_arg_t arg[JOB_ARGUMENTS];
    size_t scratchpad;
} job;

/* A job from an operation's description; arguments: DNNL_ARG_... of its n tensors. hint: of the
 * forward primitive, or NULL. The primitive's own description goes to *description unless that is
 * NULL (dnnl_primitive_desc_destroy). */
dnnl_status_t job_new(dnnl_engine_t engine, const void *operation, const_dnnl_primitive_attr_t attr,
                      const_dnnl_primitive_desc_t hint, int n, const int *arguments, job *out,
                      dnnl_primitive_desc_t *description);
/* A job that copies a tensor into another layout or type, and may add to what is there. */
dnnl_status_t job_new_reorder(dnnl_engine_t engine, const dnnl_memory_desc_t *from,
                              const dnnl_memory_desc_t *to, int add, job *out);
void job_clear(job *j);
/* Address of the tensor that is argument `argument`. */
void job_set(const job *j, int argument, const void *data);
void job_run(const job *j, dnnl_stream_t stream, void *scratchpad);

/* Attributes of every primitive: the scratchpad is ours. */
dnnl_status_t onednn_attributes(dnnl_primitive_attr_t *out);
/* Bytes, a multiple of 64. */
size_t onednn_bytes(const dnnl_memory_desc_t *m);
int onednn_alone_begin(void);
void onednn_alone_end(int before);
#endif
