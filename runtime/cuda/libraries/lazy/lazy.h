/* SPDX-License-Identifier: Apache-2.0
 * Libraries that are loaded when they are first called. cuDNN and cuBLASLt take 0.1 s and 150 MB to load, which
 * programs that compute on the CPU should not pay, and machines without them can still run everything else. So we call
 * our own functions instead (names.h), which find the real ones. */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_LAZY_LAZY_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_LAZY_LAZY_H

#include <pthread.h>
#include <stdatomic.h>

typedef struct trib_lazy_library {
    const char *name;  /* as the loader searches for it: "libcudnn.so.9" */
    const char *built; /* its path at build time: tried next */
    pthread_mutex_t lock;
    void *handle;
    char error[256]; /* why it cannot be loaded, and what to do; "" */
} trib_lazy_library;

/* The function ("trib_lazy_" before the library's own name), kept in *slot; NULL when the library or the function in it
 * cannot be found: library->error says why. */
void *trib_lazy_find(trib_lazy_library *library, _Atomic(void *) *slot, const char *function);

#define TRIB_LAZY_TEXT_(x) #x
#define TRIB_LAZY_TEXT(x) TRIB_LAZY_TEXT_(x)

/* Defines `name`, which calls the real one, or gives `failure` when there is none. */
#define TRIB_LAZY(library, type, failure, name, parameters, arguments)                                          \
    type name parameters                                                                                        \
    {                                                                                                           \
        static _Atomic(void *) slot;                                                                            \
        type(*function) parameters = (type(*) parameters)trib_lazy_find(&library, &slot, TRIB_LAZY_TEXT(name)); \
        return function ? function arguments : failure;                                                         \
    }

#endif
