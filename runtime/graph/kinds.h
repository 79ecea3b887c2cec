/* SPDX-License-Identifier: Apache-2.0
 * All knowledge of op kinds outside the drivers, a row per kind. Code that asks "which kind is this?" reads a row;
 * a new kind is a value of trib_kind, a row here, a reference, and code in the drivers that run it. */
#ifndef TRIBUTARY_RUNTIME_GRAPH_KINDS_H
#define TRIBUTARY_RUNTIME_GRAPH_KINDS_H

#include "tributary/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One image. */
typedef struct trib_extent {
    int c, h, w;
} trib_extent;

/* Receives a kind's attributes by name, for the JSON of plans and the keys of measurements. In JSON a single value is a
 * number, several are a list. */
typedef struct trib_fields {
    void (*ints)(void *context, const char *name, const int *values, int count);
    void (*reals)(void *context, const char *name, const float *values, int count);
    void (*word)(void *context, const char *name, const char *value);
    void *context;
} trib_fields;

typedef enum trib_takes {
    TRIB_TAKES_FLOATS = 0, /* any floating type */
    TRIB_TAKES_FACTORS,    /* the precision's type: the input is multiplied by weights */
    TRIB_TAKES_PIXELS,     /* 8 bits */
    TRIB_TAKES_REGIONS     /* a trib_region_row per image, as bytes; it holds addresses, so made-up values must be 0 */
} trib_takes;

typedef enum trib_gives {
    TRIB_GIVES_SAME = 0,    /* the type of the first input */
    TRIB_GIVES_SAME_OR_F32, /* or float32, the type of its sums */
    TRIB_GIVES_FLOATS,      /* any floating type: it converts */
    TRIB_GIVES_TOP_K        /* probabilities in float32, classes in int32 */
} trib_gives;

/* What kind of work an op is, for sums over a plan. Only products are bound by arithmetic. */
typedef enum trib_work {
    TRIB_WORK_OTHER = 0,
    TRIB_WORK_FORWARD, /* products: convolutions, linear layers */
    TRIB_WORK_BACKWARD_DATA,
    TRIB_WORK_BACKWARD_WEIGHT,
    TRIB_WORK_BATCH_NORM,
    TRIB_WORK_POOL,
    TRIB_WORK_UPDATE,
    TRIB_WORK_COUNT
} trib_work;

/* An operand of a forward op that its backward reads after dy. */
typedef enum trib_read {
    TRIB_READS_NOTHING = 0,
    TRIB_READS_INPUT,                                      /* + index */
    TRIB_READS_OUTPUT = TRIB_READS_INPUT + TRIB_MAX_INPUTS /* + index */
} trib_read;
enum { TRIB_MAX_READS = 2 };

typedef struct trib_kind_row {
    const char *name;
    int least_inputs, most_inputs;
    /* If the two differ, several outputs share the channels; otherwise each has all of them. */
    int least_outputs, most_outputs;
    trib_takes takes;
    trib_gives gives;
    trib_work work;
    bool plan_only;      /* added by passes and lowering; never a layer of a graph */
    bool nothing_to_run; /* no device runs it by itself: its output is the caller's, it does nothing at inference, or it
                            runs through the handle of another op */
    bool rows;           /* output of 1x1 pixels, which lie plainly in memory */
    bool ignores_zeros;  /* additional input channels may be zeros: its weight gets columns of zeros for them */
    bool takes_relu;     /* passes may make a following ReLU its epilogue */
    bool may_widen;      /* outputs may have more channels than the rule says; those hold zeros */
    /* For each output, 1 + the input that it may update in place, 0: none. Each element of the output then depends on
     * the input's element in that place only. */
    int updates[TRIB_MAX_OUTPUTS];
    bool own_extents; /* types and extents of inputs and outputs follow no rule of those below: check_op knows them */
    int operands;     /* 0, or how many of its inputs are activations: what follows are parameters, see op.h */
    bool accumulates; /* desc.accumulate is possible */
    /* Training: the kind that computes the gradient of input 0 from dy and these operands (0: none does), and the kind
     * that computes the gradient of the weight from x and dy. */
    trib_kind backward, backward_weight;
    int backward_reads[TRIB_MAX_READS];
    bool scales_and_shifts; /* an op of it takes a scale (as weight) and a shift (as bias) per channel */
    /* Possible prologues and epilogues; bits 1 << kind. The device decides which of them it runs. */
    uint64_t before, after;

    /* All rules below are optional. */
    /* Replaces zeros by defaults. */
    void (*resolve)(trib_attributes *a, const trib_extent *in);
    /* Checks resolved attributes by themselves. */
    trib_status (*check)(const trib_attributes *a);
    /* The output's extent; missing: the first input's. `in` has `count` extents. */
    trib_status (*shape)(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out);
    /* Shape of the parameter in this role; false: it has none. */
    bool (*parameter)(const trib_attributes *a, trib_extent in, trib_role role, trib_shape *shape);
    /* Per image: multiplications and additions count one each; missing: none. */
    int64_t (*operations)(const trib_attributes *a, trib_extent in, trib_extent out);
    /* Per image: bytes that it reads beside its views. */
    int64_t (*reads_beside)(const trib_attributes *a);
    void (*describe)(const trib_attributes *a, const trib_fields *fields);
    /* Further checks of a desc whose views are checked. */
    trib_status (*check_op)(const trib_op_desc *desc);
} trib_kind_row;

/* NULL if there is no such kind. */
const trib_kind_row *trib_kind_row_of(trib_kind kind);

/* Output extents of a kind: resolved attributes are checked, then its shape rule runs. */
trib_status trib_kind_shape(trib_kind kind, const trib_attributes *a, const trib_extent *in, int count,
                            trib_extent *out);
/* Extents of an op with its prologue and epilogue: the input of the main kind, and the output. */
trib_status trib_op_shape(const trib_op_desc *desc, trib_extent *main_input, trib_extent *out);
/* Passes on all attributes, then prologue and epilogue with theirs, in sequence: a name may occur twice. */
void trib_op_describe(const trib_op_desc *desc, const trib_fields *fields);
/* Whether the op updates this input in place: an output is the same view of the same buffer, and the kind allows that.
 */
bool trib_op_updates(const trib_op_desc *desc, int input);
/* The same for its first input. */
bool trib_op_in_place(const trib_op_desc *desc);
/* Elements of an op's weight, 0 if it has none; views as in the desc. */
int64_t trib_op_weight_elements(const trib_op_desc *desc);

/* Convolutions and linear layers, and their gradients: the ops that multiply at the rate of the precision. */
bool trib_is_product(trib_kind kind);

/* Name of a parameter in its layer: "weight", "running_mean", ... */
const char *trib_role_leaf(trib_role role);

#ifdef __cplusplus
}
#endif
#endif
