/* SPDX-License-Identifier: Apache-2.0
 * Loads CUPTI. */
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "cuda/libraries/cupti_functions.h"

#define CHECK(type, name, parameters) \
    _Static_assert(_Generic(&name, type(*) parameters : 1, default : 0), "another type: " #name);
TRIB_CUPTI_FUNCTIONS(CHECK)

#define ROW(type, name, parameters) { #name, offsetof(trib_cupti_functions, name) },
static const trib_library_function rows[] = { TRIB_CUPTI_FUNCTIONS(ROW) };

trib_cupti_functions trib_libcupti;

static trib_status outcome; /* written once */

static void load(void)
{
    char name[32], why[160];
    snprintf(name, sizeof name, "libcupti.so.%d", CUDART_VERSION / 1000);
    void *library = trib_library_load(name, TRIB_CUPTI_LIBRARY, why, sizeof why);
    if (!library) {
        outcome = TRIB_ERROR(TRIB_NOT_FOUND, "%s cannot be loaded (%s)", name, why);
        return;
    }
    const char *missing = trib_library_find(library, rows, sizeof rows / sizeof *rows, &trib_libcupti);
    if (!missing) return;
    dlclose(library);
    outcome = TRIB_ERROR(TRIB_UNSUPPORTED, "%s has no %s", name, missing);
}

trib_status trib_cupti_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return outcome;
}
