/* SPDX-License-Identifier: Apache-2.0
 * Tributary: brackets around the declarations of a public header: C linkage, and visible in the shared library. */
#ifndef TRIBUTARY_DECLARE_H
#define TRIBUTARY_DECLARE_H

#if defined(__GNUC__)
#define TRIB_EXPORTS_BEGIN _Pragma("GCC visibility push(default)")
#define TRIB_EXPORTS_END _Pragma("GCC visibility pop")
#define TRIB_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TRIB_EXPORTS_BEGIN
#define TRIB_EXPORTS_END
#define TRIB_PRINTF(text, first)
#endif

#ifdef __cplusplus
#define TRIB_BEGIN_DECLS \
    extern "C" {         \
    TRIB_EXPORTS_BEGIN
#define TRIB_END_DECLS \
    TRIB_EXPORTS_END   \
    }
#else
#define TRIB_BEGIN_DECLS TRIB_EXPORTS_BEGIN
#define TRIB_END_DECLS TRIB_EXPORTS_END
#endif

#endif
