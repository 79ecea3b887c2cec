/* SPDX-License-Identifier: Apache-2.0
 * Tributary: what went wrong, where, and what to do about it.
 *
 * Every function that can fail returns a trib_status by value. It owns nothing, so it may be copied,
 * passed between threads and dropped without being freed.
 *
 *     trib_status s = trib_model_load("net.safetensors", NULL, &model);
 *     if (trib_failed(&s)) fprintf(stderr, "%s\n", s.message);
 *
 * On failure, output parameters are left as they were unless the function says otherwise. */
#ifndef TRIBUTARY_STATUS_H
#define TRIBUTARY_STATUS_H

#include <stdbool.h>

#include "tributary/declare.h"

TRIB_BEGIN_DECLS

/* The kind of a failure. */
typedef enum trib_code {
    TRIB_OK = 0,
    TRIB_INVALID_ARGUMENT, /* an impossible request by the caller */
    TRIB_NOT_FOUND,        /* no such file, layer, tensor or device */
    TRIB_IO_ERROR,         /* the operating system refused; `vendor_code` is errno */
    TRIB_BAD_DATA,         /* a file or image is damaged, or not of the expected kind */
    TRIB_UNSUPPORTED,      /* valid, but this build or device cannot do it */
    TRIB_OUT_OF_MEMORY,    /* of host or device memory, or beyond a limit that was set */
    TRIB_DEVICE_ERROR,     /* a device library failed; `vendor_code` is its own code */
    TRIB_CANCELLED,        /* stopped on request */
    TRIB_INTERNAL          /* a bug in Tributary: please report it */
} trib_code;

enum { TRIB_MESSAGE_SIZE = 448 };

typedef struct trib_status {
    trib_code code;
    int vendor_code;                 /* errno, dnnl_status_t, cudaError_t ...; 0 when there is none */
    int line;                        /* where the failure was detected */
    const char *file;                /* a static string; NULL on success */
    const char *call;                /* the library call that failed, a static string; may be NULL */
    char message[TRIB_MESSAGE_SIZE]; /* "context: what happened; what to do", never ends in a newline */
} trib_status;

static inline bool trib_failed(const trib_status *s) { return s->code != TRIB_OK; }

/* The code's name in words, e.g. "out of memory". Never NULL. */
const char *trib_code_name(trib_code code);

/* A success. Only the terminating zero of the message is written: clearing or copying all of it would dominate the cost
 * of a successful call. */
static inline trib_status trib_success(void)
{
    trib_status s;
    s.code = TRIB_OK;
    s.vendor_code = 0;
    s.line = 0;
    s.file = 0;
    s.call = 0;
    s.message[0] = '\0';
    return s;
}

/* Returns `*s` from a function with one exit, copying the message only if there is one. */
static inline trib_status trib_outcome(const trib_status *s)
{
    if (trib_failed(s)) return *s;
    return trib_success();
}

/* Builds a failure; use the TRIB_ERROR macros, which fill in file and line. */
TRIB_PRINTF(6, 7)
trib_status trib_make_error(trib_code code, int vendor_code, const char *file, int line, const char *call,
                            const char *format, ...);

/* Puts "context: " in front of the message of a failure; leaves a success alone. Text that does not fit is cut off. */
TRIB_PRINTF(2, 3)
void trib_add_context(trib_status *status, const char *format, ...);

#define TRIB_ERROR(code, ...) trib_make_error((code), 0, __FILE__, __LINE__, 0, __VA_ARGS__)
#define TRIB_VENDOR_ERROR(code, vendor, call, ...) \
    trib_make_error((code), (vendor), __FILE__, __LINE__, (call), __VA_ARGS__)

/* Returns from the calling function if `expression`, a call, fails. */
#define TRIB_TRY(expression)                           \
    do {                                               \
        trib_status trib_try_ = (expression);          \
        if (trib_failed(&trib_try_)) return trib_try_; \
    } while (0)

/* Sets `status` to the result of `expression` and goes to `label` if it is a failure: one exit for functions that
 * acquire things. */
#define TRIB_TRY_GOTO(status, label, expression) \
    do {                                         \
        trib_status trib_try_ = (expression);    \
        if (trib_failed(&trib_try_)) {           \
            (status) = trib_try_;                \
            goto label;                          \
        }                                        \
        (status) = trib_success();               \
    } while (0)

TRIB_END_DECLS
#endif
