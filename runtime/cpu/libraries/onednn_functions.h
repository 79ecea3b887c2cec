/* SPDX-License-Identifier: Apache-2.0
 * oneDNN is not linked but loaded when a CPU device is first opened (onednn_load.c): until then a program may configure
 * how its OpenMP waits, and machines without it run everything else. This lists the functions that we use, and the
 * loader checks them against the header. They are called as trib_dnnl.stream_wait(stream). */
#ifndef TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_FUNCTIONS_H
#define TRIBUTARY_RUNTIME_CPU_LIBRARIES_ONEDNN_FUNCTIONS_H

#include <dnnl.h>

#include "tributary/internal/library.h"
#include "tributary/status.h"

/* A borrowed memory descriptor, as dnnl_primitive_desc_query_md returns it. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t trib_dnnl_md;
#else
typedef const dnnl_memory_desc_t *trib_dnnl_md;
#endif

/* clang-format off */
#define TRIB_DNNL_COMMON(F)                                                                                           \
    F(const dnnl_version_t *, version, (void))                                                                        \
    F(dnnl_cpu_isa_t, get_effective_cpu_isa, (void))                                                                  \
    F(dnnl_status_t, engine_create, (dnnl_engine_t *, dnnl_engine_kind_t, size_t))                                    \
    F(dnnl_status_t, engine_destroy, (dnnl_engine_t))                                                                 \
    F(dnnl_status_t, stream_create, (dnnl_stream_t *, dnnl_engine_t, unsigned))                                       \
    F(dnnl_status_t, stream_destroy, (dnnl_stream_t))                                                                 \
    F(dnnl_status_t, stream_wait, (dnnl_stream_t))                                                                    \
    F(dnnl_status_t, memory_create, (dnnl_memory_t *, trib_dnnl_md, dnnl_engine_t, void *))                           \
    F(dnnl_status_t, memory_destroy, (dnnl_memory_t))                                                                 \
    F(dnnl_status_t, memory_get_memory_desc, (const_dnnl_memory_t, trib_dnnl_md *))                                   \
    F(dnnl_status_t, memory_set_data_handle, (dnnl_memory_t, void *))                                                 \
    F(size_t, memory_desc_get_size, (trib_dnnl_md))                                                                   \
    F(dnnl_status_t, post_ops_create, (dnnl_post_ops_t *))                                                            \
    F(dnnl_status_t, post_ops_destroy, (dnnl_post_ops_t))                                                             \
    F(dnnl_status_t, primitive_attr_create, (dnnl_primitive_attr_t *))                                                \
    F(dnnl_status_t, primitive_attr_destroy, (dnnl_primitive_attr_t))                                                 \
    F(dnnl_status_t, primitive_attr_set_post_ops, (dnnl_primitive_attr_t, const_dnnl_post_ops_t))                     \
    F(dnnl_status_t, primitive_attr_set_scratchpad_mode, (dnnl_primitive_attr_t, dnnl_scratchpad_mode_t))             \
    F(dnnl_status_t, primitive_desc_destroy, (dnnl_primitive_desc_t))                                                 \
    F(dnnl_status_t, primitive_desc_query, (const_dnnl_primitive_desc_t, dnnl_query_t, int, void *))                  \
    F(trib_dnnl_md, primitive_desc_query_md, (const_dnnl_primitive_desc_t, dnnl_query_t, int))                        \
    F(dnnl_status_t, primitive_create, (dnnl_primitive_t *, const_dnnl_primitive_desc_t))                             \
    F(dnnl_status_t, primitive_destroy, (dnnl_primitive_t))                                                           \
    F(dnnl_status_t, primitive_execute, (const_dnnl_primitive_t, dnnl_stream_t, int, const dnnl_exec_arg_t *))        \
    F(dnnl_status_t, sgemm,                                                                                           \
      (char, char, dnnl_dim_t, dnnl_dim_t, dnnl_dim_t, float, const float *, dnnl_dim_t, const float *, dnnl_dim_t,   \
       float, float *, dnnl_dim_t))                                                                                   \
    F(dnnl_status_t, reorder_primitive_desc_create,                                                                   \
      (dnnl_primitive_desc_t *, trib_dnnl_md, dnnl_engine_t, trib_dnnl_md, dnnl_engine_t, const_dnnl_primitive_attr_t))

#if DNNL_VERSION_MAJOR >= 3
#define TRIB_DNNL_FUNCTIONS(F)                                                                                        \
    TRIB_DNNL_COMMON(F)                                                                                               \
    F(dnnl_status_t, memory_desc_create_with_tag,                                                                     \
      (dnnl_memory_desc_t *, int, const dnnl_dims_t, dnnl_data_type_t, dnnl_format_tag_t))                            \
    F(dnnl_status_t, memory_desc_destroy, (dnnl_memory_desc_t))                                                       \
    F(dnnl_status_t, post_ops_append_eltwise, (dnnl_post_ops_t, dnnl_alg_kind_t, float, float))                       \
    F(dnnl_status_t, post_ops_append_sum, (dnnl_post_ops_t, float, int32_t, dnnl_data_type_t))                        \
    F(dnnl_status_t, primitive_desc_next_impl, (dnnl_primitive_desc_t))                                               \
    F(dnnl_status_t, convolution_forward_primitive_desc_create,                                                       \
      (dnnl_primitive_desc_t *, dnnl_engine_t, dnnl_prop_kind_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md,         \
       trib_dnnl_md, trib_dnnl_md, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t,        \
       const_dnnl_primitive_attr_t))                                                                                  \
    F(dnnl_status_t, convolution_backward_data_primitive_desc_create,                                                 \
      (dnnl_primitive_desc_t *, dnnl_engine_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md,             \
       const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t, const_dnnl_primitive_desc_t,       \
       const_dnnl_primitive_attr_t))                                                                                  \
    F(dnnl_status_t, convolution_backward_weights_primitive_desc_create,                                              \
      (dnnl_primitive_desc_t *, dnnl_engine_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md,             \
       trib_dnnl_md, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t,                      \
       const_dnnl_primitive_desc_t, const_dnnl_primitive_attr_t))                                                     \
    F(dnnl_status_t, pooling_forward_primitive_desc_create,                                                           \
      (dnnl_primitive_desc_t *, dnnl_engine_t, dnnl_prop_kind_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md,         \
       const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t,                 \
       const_dnnl_primitive_attr_t))                                                                                  \
    F(dnnl_status_t, lrn_forward_primitive_desc_create,                                                               \
      (dnnl_primitive_desc_t *, dnnl_engine_t, dnnl_prop_kind_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md,         \
       dnnl_dim_t, float, float, float, const_dnnl_primitive_attr_t))                                                 \
    F(dnnl_status_t, inner_product_forward_primitive_desc_create,                                                     \
      (dnnl_primitive_desc_t *, dnnl_engine_t, dnnl_prop_kind_t, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md,            \
       trib_dnnl_md, const_dnnl_primitive_attr_t))                                                                    \
    F(dnnl_status_t, softmax_forward_primitive_desc_create,                                                           \
      (dnnl_primitive_desc_t *, dnnl_engine_t, dnnl_prop_kind_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md, int,    \
       const_dnnl_primitive_attr_t))
#else
#define TRIB_DNNL_FUNCTIONS(F)                                                                                        \
    TRIB_DNNL_COMMON(F)                                                                                               \
    F(dnnl_status_t, memory_desc_init_by_tag,                                                                         \
      (dnnl_memory_desc_t *, int, const dnnl_dims_t, dnnl_data_type_t, dnnl_format_tag_t))                            \
    F(dnnl_status_t, post_ops_append_eltwise, (dnnl_post_ops_t, float, dnnl_alg_kind_t, float, float))                \
    F(dnnl_status_t, post_ops_append_sum, (dnnl_post_ops_t, float))                                                   \
    F(dnnl_status_t, primitive_desc_iterator_create,                                                                  \
      (dnnl_primitive_desc_iterator_t *, const_dnnl_op_desc_t, const_dnnl_primitive_attr_t, dnnl_engine_t,            \
       const_dnnl_primitive_desc_t))                                                                                  \
    F(dnnl_status_t, primitive_desc_iterator_next, (dnnl_primitive_desc_iterator_t))                                  \
    F(dnnl_primitive_desc_t, primitive_desc_iterator_fetch, (const_dnnl_primitive_desc_iterator_t))                   \
    F(dnnl_status_t, primitive_desc_iterator_destroy, (dnnl_primitive_desc_iterator_t))                               \
    F(dnnl_status_t, convolution_forward_desc_init,                                                                   \
      (dnnl_convolution_desc_t *, dnnl_prop_kind_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md,        \
       trib_dnnl_md, const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t))                                        \
    F(dnnl_status_t, convolution_backward_data_desc_init,                                                             \
      (dnnl_convolution_desc_t *, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md, const dnnl_dims_t,       \
       const dnnl_dims_t, const dnnl_dims_t))                                                                         \
    F(dnnl_status_t, convolution_backward_weights_desc_init,                                                          \
      (dnnl_convolution_desc_t *, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md,            \
       const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t))                                                      \
    F(dnnl_status_t, pooling_forward_desc_init,                                                                       \
      (dnnl_pooling_desc_t *, dnnl_prop_kind_t, dnnl_alg_kind_t, trib_dnnl_md, trib_dnnl_md, const dnnl_dims_t,       \
       const dnnl_dims_t, const dnnl_dims_t, const dnnl_dims_t))                                                      \
    F(dnnl_status_t, lrn_forward_desc_init,                                                                           \
      (dnnl_lrn_desc_t *, dnnl_prop_kind_t, dnnl_alg_kind_t, trib_dnnl_md, dnnl_dim_t, float, float, float))          \
    F(dnnl_status_t, inner_product_forward_desc_init,                                                                 \
      (dnnl_inner_product_desc_t *, dnnl_prop_kind_t, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md, trib_dnnl_md))        \
    F(dnnl_status_t, softmax_forward_desc_init, (dnnl_softmax_desc_t *, dnnl_prop_kind_t, trib_dnnl_md, int))
#endif
/* clang-format on */

typedef struct trib_dnnl_functions {
    TRIB_DNNL_FUNCTIONS(TRIB_LIBRARY_POINTER)
} trib_dnnl_functions;

/* Filled in by the first call of trib_onednn_load, which fails with what to do. oneDNN stays loaded until the process
 * ends, because the threads of its OpenMP do. */
extern trib_dnnl_functions trib_dnnl;
trib_status trib_onednn_load(void);

#endif
