/* anpe/graph.h -- operations to build a network from.
 *
 * A featurizer or flow plugin describes a network; it never executes one. The core infers shapes
 * while the graph is built, plans memory once, derives the backward pass and runs all of it with
 * the chosen backend in float or double.
 *
 * A node is a tensor whose first dimension is the batch B: (B, F), or (B, L, C) channels last.
 * The builder holds its first error; after an error every call returns a negative node and does
 * nothing, so a plugin checks nothing and the core reports once, with the name of the operation.
 *
 * Parameters are named by the dotted path given to the operation: anpe_linear(g, "head", ...)
 * makes head.weight and head.bias. Weights have the layouts of PyTorch, so that they can be
 * compared: linear (out, in), conv1d (out, in, k), GRU weight_ih_l0 (3 H, in).
 */
#ifndef ANPE_GRAPH_H
#define ANPE_GRAPH_H
#include <stddef.h>
#include <stdint.h>
#ifndef ANPE_PLUGIN_H
#error "include <anpe/plugin.h>"
#endif

typedef struct anpe_graph anpe_graph;
typedef int anpe_node;

/* Dimensions of a node after the batch: anpe_rank is 1 for (B, F), 2 for (B, L, C). */
ANPE_EXPORT int anpe_rank(const anpe_graph *g, anpe_node x);
ANPE_EXPORT int64_t anpe_length(const anpe_graph *g, anpe_node x); /* L; 1 for (B, F) */
ANPE_EXPORT int64_t anpe_width(const anpe_graph *g, anpe_node x);  /* last dimension: C or F */

/* "stages.0.conv" from a format, in storage of the graph. */
ANPE_EXPORT const char *anpe_name(anpe_graph *g, const char *format, ...) ANPE_PRINTF(2, 3);

enum {
    ANPE_WEIGHT_NORM = 1, /* w = g v / |v|, norm over all but the output channel; makes
                           * NAME.weight_g and NAME.weight_v */
    ANPE_RELU = 2,        /* fused max(0, .) after the bias */
    ANPE_NO_BIAS = 4,
    ANPE_ZERO_INIT = 8 /* starts at zero instead of the default initialisation */
};

/* (B, L, Cin) -> (B, L, cout); odd kernel k, zero padding (k - 1)/2, stride 1.
 * y[l, o] = b[o] + sum_{j, i} w[o, i, j] x[l + j - (k - 1)/2, i] */
ANPE_EXPORT anpe_node anpe_conv1d(anpe_graph *g, const char *name, anpe_node x, int64_t cout,
                                  int64_t k, unsigned flags);
/* (..., in) -> (..., out): y = W x + b */
ANPE_EXPORT anpe_node anpe_linear(anpe_graph *g, const char *name, anpe_node x, int64_t out,
                                  unsigned flags);
/* What a featurizer ends in: x (B, F) as it is, or a linear layer "head" to n_features of them,
 * where anpe_featurizer_setup asks for a number. */
static inline anpe_node anpe_head(anpe_graph *g, anpe_node x, int64_t n_features)
{
    return n_features ? anpe_linear(g, "head", x, n_features, 0) : x;
}
/* linear with w[o, i] kept where degree_out[o] >= degree_in[i], else 0 (MADE, Germain et al.
 * 2015). The degrees (out) and (in) are copied. */
ANPE_EXPORT anpe_node anpe_masked_linear(anpe_graph *g, const char *name, anpe_node x, int64_t out,
                                         const int *degree_out, const int *degree_in,
                                         unsigned flags);
/* One GRU layer (B, L, in) -> (B, L, hidden), h_0 = 0, gate order reset, update, new, two bias
 * vectors: NAME.weight_ih, weight_hh, bias_ih, bias_hh.
 * n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h */
ANPE_EXPORT anpe_node anpe_gru(anpe_graph *g, const char *name, anpe_node x, int64_t hidden);
ANPE_EXPORT anpe_node anpe_max_pool(anpe_graph *g, anpe_node x, int64_t size); /* L -> L / size */
ANPE_EXPORT anpe_node anpe_mean_length(anpe_graph *g, anpe_node x);            /* -> (B, C) */
ANPE_EXPORT anpe_node anpe_last(anpe_graph *g, anpe_node x);    /* (B, L, C) -> (B, C) at L - 1 */
ANPE_EXPORT anpe_node anpe_flatten(anpe_graph *g, anpe_node x); /* (B, L, C) -> (B, L C) */
ANPE_EXPORT anpe_node anpe_relu(anpe_graph *g, anpe_node x);
ANPE_EXPORT anpe_node anpe_leaky_relu(anpe_graph *g, anpe_node x, double slope);
ANPE_EXPORT anpe_node anpe_sigmoid(anpe_graph *g, anpe_node x);
ANPE_EXPORT anpe_node anpe_tanh(anpe_graph *g, anpe_node x);
ANPE_EXPORT anpe_node anpe_add(anpe_graph *g, anpe_node x, anpe_node y);      /* same shapes */
ANPE_EXPORT anpe_node anpe_multiply(anpe_graph *g, anpe_node x, anpe_node y); /* same shapes */
ANPE_EXPORT anpe_node anpe_concat(anpe_graph *g, anpe_node x, anpe_node y);   /* last dimension */
ANPE_EXPORT anpe_node anpe_slice(anpe_graph *g, anpe_node x, int64_t start, int64_t n); /* last */
ANPE_EXPORT anpe_node anpe_log_sum_exp(anpe_graph *g, anpe_node x); /* (..., F) -> (..., 1) */
/* y[:, i] = x[:, index[i]], index a permutation of 0..D-1. The permutation is kept with the
 * parameters as NAME (not trained), so that a model file fixes it. */
ANPE_EXPORT anpe_node anpe_permute(anpe_graph *g, const char *name, anpe_node x,
                                   const int64_t *index);
/* Affine autoregressive step (Papamakarios et al. 2017): x (B, D), out (B, 2 D) = (m, a),
 * u = (x - m) exp(-a) with a clamped to [lo, hi] (infinite: not clamped; a clamped element has no
 * gradient). -> (B, D) */
ANPE_EXPORT anpe_node anpe_affine_step(anpe_graph *g, anpe_node x, anpe_node out, double lo,
                                       double hi);
/* log |det du/dx| = -sum a of the same step -> (B, 1) */
ANPE_EXPORT anpe_node anpe_affine_log_det(anpe_graph *g, anpe_node out, double lo, double hi);
/* Mixture of n Gaussians per label: x (B, D); out (B, 3 D n) laid out (component, {mean, log
 * scale, logit}, label); log p = sum_d logsumexp_c(log softmax_c(logit) - a - (x - m)^2
 * exp(-2 a)/2 - log(2 pi)/2) -> (B, 1) */
ANPE_EXPORT anpe_node anpe_mog_log_density(anpe_graph *g, anpe_node x, anpe_node out, int64_t n,
                                           double lo, double hi);

/* ---- since minor version 1: what transformers are made of -------------------------------- */

/* Over the last dimension (Ba et al. 2016), epsilon 1e-5; NAME.weight w starts at 1, NAME.bias b
 * at 0, both of shape (C): y_i = w_i (x_i - mean x) / sqrt(var x + epsilon) + b_i */
ANPE_EXPORT anpe_node anpe_layer_norm(anpe_graph *g, const char *name, anpe_node x);
/* x Phi(x) in the form x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)) (Hendrycks & Gimpel 2016) */
ANPE_EXPORT anpe_node anpe_gelu(anpe_graph *g, anpe_node x);
/* Self-attention (Vaswani et al. 2017): (B, L, 3 C) -> (B, L, C). The last dimension is (q, k, v),
 * each of `heads` pieces of width d = C / heads; for each piece
 * y[l] = sum_m p[l, m] v[m], p[l, m] = exp(q[l].k[m] / sqrt(d)) / sum_n exp(q[l].k[n] / sqrt(d)).
 * Memory grows with L, not with its square. Any projection is a linear before and after. */
ANPE_EXPORT anpe_node anpe_attention(anpe_graph *g, anpe_node x, int64_t heads);
/* (B, L, C) -> (B, M, size C): y[m, j C + i] = x[m stride + j, i], zero past the end; 1 <= stride
 * <= size and M the fewest patches that leave no pixel out. A linear after it is a strided
 * convolution. */
ANPE_EXPORT anpe_node anpe_patches(anpe_graph *g, anpe_node x, int64_t size, int64_t stride);
/* y = x + p with p of the shape of one sample, (L, C), kept with the parameters as NAME. `initial`
 * (L, C) is copied, NULL: zero; trained 0: stays as it is, for a table of positions. */
ANPE_EXPORT anpe_node anpe_offset(anpe_graph *g, const char *name, anpe_node x,
                                  const double *initial, int trained);
/* (B, L, C) -> (B, L + 1, C): a trained vector NAME (C) after the last one, alike for all samples;
 * with anpe_last the class token of Devlin et al. (2019). */
ANPE_EXPORT anpe_node anpe_append(anpe_graph *g, const char *name, anpe_node x);

/* ---- since minor version 4 --------------------------------------------------------------- */

/* (B, L, C) -> (B, n, C): y[l] = x[start + l] */
ANPE_EXPORT anpe_node anpe_pixels(anpe_graph *g, anpe_node x, int64_t start, int64_t n);

/* ---- read-only weights, by name: what a sampler starts from ------------------------------ */

typedef struct anpe_weights anpe_weights;
/* Effective weights (after weight norm and masks) in float: *shape_nd dimensions in shape[4].
 * NULL if there is none of that name. `name` is as given to the operation plus ".weight",
 * ".bias", ... ; a permutation is read as its own name. */
ANPE_EXPORT const float *anpe_weights_get(const anpe_weights *w, const char *name, int *rank,
                                          int64_t shape[4]);

/* ---- an operation of one's own ----------------------------------------------------------- */

enum { ANPE_MAX_INPUTS = 4, ANPE_MAX_PARAMETERS = 6 };

/* What forward and backward see. rows: product of all dimensions but the last, batch included;
 * pointers are float or double by the table entry that is called. Backward ADDS into grad_in and
 * grad_parameter; either may be NULL where nobody needs it. */
typedef struct anpe_call {
    int64_t batch;
    int n_inputs;
    int64_t in_length[ANPE_MAX_INPUTS], in_width[ANPE_MAX_INPUTS];
    int64_t out_length, out_width;
    const void *in[ANPE_MAX_INPUTS];
    void *grad_in[ANPE_MAX_INPUTS];
    void *out;
    const void *grad_out;
    const void *parameter[ANPE_MAX_PARAMETERS];
    void *grad_parameter[ANPE_MAX_PARAMETERS];
    const void *attributes;
    void *saved;                       /* kept from forward to backward; saved_size bytes */
    void *scratch;                     /* during one call; scratch_size bytes */
    const void *backend, *backend_ops; /* self and const anpe_backend_ops * */
    /* 1: nothing is in grad_in yet; only where the operation says ANPE_SETS_GRADIENT, else the
     * core has put zeros there. */
    int grad_in_empty[ANPE_MAX_INPUTS];
} anpe_call;

typedef struct anpe_operation {
    size_t size;
    const char *name;
    /* Fills out_length, out_width (and out_rank via the return: 1 or 2; 0 = shapes do not fit)
     * from the in_ fields and attributes. */
    int (*shape)(anpe_call *call, const int *in_rank);
    /* Bytes for a call with these shapes and this size of real; may be NULL. */
    size_t (*saved_size)(const anpe_call *call, size_t real);
    size_t (*scratch_size)(const anpe_call *call, size_t real);
    void (*forward[2])(const anpe_call *call);  /* float, double */
    void (*backward[2])(const anpe_call *call); /* float, double */
    unsigned backward_needs;                    /* ANPE_NEEDS_INPUT | ANPE_NEEDS_OUTPUT | ... */
} anpe_operation;
/* SETS_GRADIENT: where grad_in_empty, backward writes the whole of grad_in instead of adding. */
enum { ANPE_NEEDS_INPUT = 1, ANPE_NEEDS_OUTPUT = 2, ANPE_SETS_GRADIENT = 4 };

/* Parameters of a custom operation; bound is the half-width of the uniform initialisation. */
typedef struct anpe_parameter_spec {
    const char *name;
    int rank;
    int64_t shape[4];
    double bound;
} anpe_parameter_spec;

ANPE_EXPORT anpe_node anpe_apply(anpe_graph *g, const anpe_operation *operation, const char *name,
                                 int n_inputs, const anpe_node *inputs, int n_parameters,
                                 const anpe_parameter_spec *parameters, const void *attributes,
                                 size_t attributes_size);

#endif
