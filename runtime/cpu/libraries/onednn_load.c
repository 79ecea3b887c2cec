/* SPDX-License-Identifier: Apache-2.0
 * Loads oneDNN. */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#include "cpu/libraries/onednn.h"
#include "cpu/libraries/onednn_functions.h"

/* Our list matches the header; otherwise wrong parameters of a call would go unnoticed. */
#define CHECK(type, name, parameters) \
    _Static_assert(_Generic(&dnnl_##name, type(*) parameters : 1, default : 0), "another type: dnnl_" #name);
TRIB_DNNL_FUNCTIONS(CHECK)

#define ROW(type, name, parameters) { "dnnl_" #name, offsetof(trib_dnnl_functions, name) },
static const trib_library_function functions[] = { TRIB_DNNL_FUNCTIONS(ROW) };

trib_dnnl_functions trib_dnnl;

#define REMEDY "on Debian: apt-get install " TRIB_ONEDNN_PACKAGE ", or put the folder of one into LD_LIBRARY_PATH"

/* The file name has only the major version, and a folder in LD_LIBRARY_PATH may contain anything. */
static trib_status check_version(const dnnl_version_t *v)
{
    bool old = v->major == 2 && v->minor < 6;
    if (v->major == DNNL_VERSION_MAJOR && !old) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "oneDNN: %s is version %d.%d.%d, but this was built with %d.%d.%d; %s",
                      TRIB_ONEDNN_SONAME, v->major, v->minor, v->patch, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR,
                      DNNL_VERSION_PATCH, REMEDY);
}

static trib_status check(const trib_dnnl_functions *found, const char *missing)
{
    if (found->version) TRIB_TRY(check_version(found->version()));
    if (!missing) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "oneDNN: %s has no %s; %s", TRIB_ONEDNN_SONAME, missing, REMEDY);
}

static trib_status load(void)
{
    char why[160];
    trib_dnnl_functions found;
    void *library = trib_library_load(TRIB_ONEDNN_SONAME, NULL, why, sizeof why);
    if (!library)
        return TRIB_ERROR(TRIB_NOT_FOUND, "oneDNN: %s cannot be loaded; %s; the loader says: %s", TRIB_ONEDNN_SONAME,
                          REMEDY, why);
    const char *missing = trib_library_find(library, functions, sizeof functions / sizeof *functions, &found);
    trib_status status = check(&found, missing);
    if (trib_failed(&status)) {
        dlclose(library);
        return status;
    }
    trib_dnnl = found;
    trib_cpu_omp_find(library);
    return status;
}

static trib_status outcome; /* written once */

static void *load_here(void *unused)
{
    outcome = load();
    return unused;
}

/* With OMP_PROC_BIND set, GNU's OpenMP pins the thread that loads it to one CPU, and all that this thread starts with
 * it: so it is a thread that does nothing else. */
static void load_once(void)
{
    pthread_t loader;
    if (pthread_create(&loader, NULL, load_here, NULL))
        load_here(NULL);
    else
        pthread_join(loader, NULL);
}

trib_status trib_onednn_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_once);
    return outcome;
}
