/* Golden files: a network stated in PyTorch, with its weights, inputs and results. */
#ifndef ANPE_TEST_GOLDEN_H
#define ANPE_TEST_GOLDEN_H
#include "golden/fixture.h"
#include "file/hdf5_file.h"

typedef struct golden {
    anpe_h5 *file;
    int64_t length, channels, labels, depth, conv_min, conv_max, nlayer, kernel, n_rnn, cond,
        hidden, num_blocks, n_mog, batch;
    int direct; /* the flow's option; the reference has no such term */
    int64_t n_weights, n_gradients, n_permutations; /* tensors in each group of the file */
    double clamp[2];
    double *input;     /* (B, L, C): the file has (B, C, L) */
    double *target;    /* labels (B, D) */
    double *z, *k, *u; /* (B, D); u: in the middle of the interval of component k */
} golden;

/* Attributes and inputs. A file that is no golden file: a message that says what is missing. */
ANPE_MUST_CHECK anpe_status golden_open(anpe_ctx *ctx, const char *path, golden *g);
void golden_close(golden *g);
/* A dataset of n values in double; caller frees. */
ANPE_MUST_CHECK anpe_status golden_read(anpe_ctx *ctx, const golden *g, const char *name, int64_t n,
                                        double **out);
/* The file's name of a parameter: "weights/featurizer.gru.weight_ih_l0", "permutation/0". */
void golden_name(const char *group, const char *parameter, char *name, size_t size);
/* The network that the attributes describe, through the plugins, run by that backend. */
ANPE_MUST_CHECK anpe_status golden_network(anpe_ctx *ctx, const golden *g, const char *backend,
                                           fixture *f);
/* Weights of the file into the parameters: every parameter, with its shape, and no weight left. */
ANPE_MUST_CHECK anpe_status golden_load(anpe_ctx *ctx, const golden *g, fixture *f);
/* (B, C, L) -> (B, L, C) */
void golden_transpose(const golden *g, const double *from, double *to);

/* What one run gives, in double whatever it ran in. */
typedef struct golden_result {
    double *features, *log_prob, *loss; /* (B, F), (B), (1) */
    double *gradient;                   /* by parameter, raw */
    double *grad_input;                 /* (B, L, C) */
    double *inverse;                    /* (B, D) */
} golden_result;

/* gamma > 0: every weight and input is changed by a relative +-gamma, the signs drawn from `probe`.
 */
ANPE_MUST_CHECK anpe_status golden_run(anpe_ctx *ctx, golden *g, fixture *f, double gamma,
                                       uint32_t probe, golden_result *out);
void golden_result_clear(golden_result *r);

/* Draws in double by the plugin's sampler source: z, u (n, D) -> labels (n, D). */
ANPE_MUST_CHECK anpe_status golden_draw_double(anpe_ctx *ctx, const golden *g, const fixture *f,
                                               const double *context, int64_t n, const double *z,
                                               const double *u, double *labels);
/* From labels (n, D) and components k (n, D) back to where they were drawn from: z, unless NULL,
 * and u, the middle of the interval that chooses k. The network by plain loops, nothing shared with
 * the sampler or the graph. */
ANPE_MUST_CHECK anpe_status golden_uniforms(anpe_ctx *ctx, const golden *g, const fixture *f,
                                            const double *context, int64_t n, const double *labels,
                                            const double *k, double *z, double *u);
#endif
