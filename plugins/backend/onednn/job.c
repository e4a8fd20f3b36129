/* Primitives: see job.h. */
#include <config.h>
#include <assert.h>
#include "job.h"
#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
#include <omp.h>
#endif

int onednn_alone_begin(void)
{
#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
    const int before = omp_get_max_threads();
    if (before != 1)
        omp_set_num_threads(1);
    return before;
#else
    return 1;
#endif
}

void onednn_alone_end(int before)
{
#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
    if (before != 1)
        omp_set_num_threads(before);
#else
    (void)before;
#endif
}

dnnl_status_t onednn_attributes(dnnl_primitive_attr_t *out)
{
    const dnnl_status_t status = dnnl_primitive_attr_create(out);
    return status ? status
                  : dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
}

size_t onednn_bytes(const dnnl_memory_desc_t *m)
{
    return (dnnl_memory_desc_get_size(m) + 63) / 64 * 64;
}

static dnnl_status_t add_argument(job *j, int argument, const dnnl_memory_desc_t *m,
                                  dnnl_engine_t engine)
{
    assert(j->n < JOB_ARGUMENTS);
    j->arg[j->n].arg = argument;
    const dnnl_status_t status =
        dnnl_memory_create(&j->arg[j->n].memory, m, engine, DNNL_MEMORY_NONE);
    j->n += status == dnnl_success;
    return status;
}

/* The primitive and its tensors, of which the last is the scratchpad. */
static dnnl_status_t finish(dnnl_engine_t engine, const_dnnl_primitive_desc_t pd, int n,
                            const int *arguments, job *j)
{
    dnnl_status_t status = dnnl_primitive_create(&j->primitive, pd);
    for (int i = 0; i < n && !status; i++)
        status = add_argument(
            j, arguments[i], dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, arguments[i]),
            engine);
    const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    if (!status)
        status = add_argument(j, DNNL_ARG_SCRATCHPAD, pad, engine);
    if (!status)
        j->scratchpad = onednn_bytes(pad);
    return status;
}

dnnl_status_t job_new(dnnl_engine_t engine, const void *operation, const_dnnl_primitive_attr_t attr,
                      const_dnnl_primitive_desc_t hint, int n, const int *arguments, job *out,
                      dnnl_primitive_desc_t *description)
{
    dnnl_primitive_desc_t pd = NULL;
    *out = (job){0};
    dnnl_status_t status = dnnl_primitive_desc_create(&pd, operation, attr, engine, hint);
    if (!status)
        status = finish(engine, pd, n, arguments, out);
    if (status)
        job_clear(out);
    if (description && !status)
        *description = pd;
    else
        dnnl_primitive_desc_destroy(pd);
    return status;
}

dnnl_status_t job_new_reorder(dnnl_engine_t engine, const dnnl_memory_desc_t *from,
                              const dnnl_memory_desc_t *to, int add, job *out)
{
    static const int arguments[] = {DNNL_ARG_FROM, DNNL_ARG_TO};
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;
    *out = (job){0};
    dnnl_status_t status = onednn_attributes(&attr);
    if (!status && add && !(status = dnnl_post_ops_create(&post)) &&
        !(status = dnnl_post_ops_append_sum(post, 1)))
        status = dnnl_primitive_attr_set_post_ops(attr, post);
    if (!status)
        status = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attr);
    if (!status)
        status = finish(engine, pd, 2, arguments, out);
    if (status)
        job_clear(out);
    dnnl_primitive_desc_destroy(pd);
    dnnl_post_ops_destroy(post);
    dnnl_primitive_attr_destroy(attr);
    return status;
}

void job_clear(job *j)
{
    for (int i = 0; i < j->n; i++)
        dnnl_memory_destroy(j->arg[i].memory);
    dnnl_primitive_destroy(j->primitive);
    *j = (job){0};
}

/* oneDNN takes every tensor as writable. */
static void set_address(dnnl_memory_t memory, const void *data)
{
    union {
        const void *in;
        void *out;
    } address = {data};
    const dnnl_status_t status = dnnl_memory_set_data_handle(memory, address.out);
    assert(!status);
    (void)status;
}

void job_set(const job *j, int argument, const void *data)
{
    for (int i = 0; i < j->n; i++)
        if (j->arg[i].arg == argument)
            set_address(j->arg[i].memory, data);
}

void job_run(const job *j, dnnl_stream_t stream, void *scratchpad)
{
    set_address(j->arg[j->n - 1].memory, scratchpad);
    const dnnl_status_t status = dnnl_primitive_execute(j->primitive, stream, j->n, j->arg);
    assert(!status);
    (void)status;
}
