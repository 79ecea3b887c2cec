/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/libraries/onednn_library.h"

#include <stdio.h>
#include <string.h>

#include "tributary/internal/alloc.h"

const char *trib_dnnl_status_name(dnnl_status_t status)
{
    switch ((int)status) {
    case dnnl_success: return "success";
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "not implemented";
    case dnnl_runtime_error: return "run-time error";
    default: return "failure";
    }
}

trib_status trib_dnnl_failure(dnnl_status_t status, const char *call, const char *file, int line)
{
    trib_code code = status == dnnl_out_of_memory ? TRIB_OUT_OF_MEMORY : TRIB_DEVICE_ERROR;
    static const char through[] = "trib_dnnl."; /* calls go through our table; oneDNN's name is the one to search for */
    const size_t skip = strncmp(call, through, sizeof through - 1) ? 0 : sizeof through - 1;
    return trib_make_error(code, (int)status, file, line, call, "oneDNN: %s%.*s failed: %s (%d)", skip ? "dnnl_" : "",
                           (int)strcspn(call + skip, "("), call + skip, trib_dnnl_status_name(status), (int)status);
}

const char *trib_dnnl_name(dnnl_primitive_desc_t descriptor)
{
    const char *name = NULL;
    trib_dnnl.primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name);
    return name ? name : "";
}

bool trib_dnnl_name_begins(dnnl_primitive_desc_t descriptor, const char *prefix)
{
    return !strncmp(trib_dnnl_name(descriptor), prefix, strlen(prefix));
}

trib_status trib_onednn_open(trib_onednn **out)
{
    *out = NULL;
    trib_status missing = trib_onednn_load();
    if (trib_failed(&missing)) return trib_success();
    trib_onednn *library = trib_alloc_zeroed(1, sizeof *library);
    if (!library) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "oneDNN: out of memory");
    trib_status status = trib_success();
    TRIB_DNNL_TRY_GOTO(status, failed, trib_dnnl.engine_create(&library->engine, dnnl_cpu, 0));
    *out = library;
    return status;
failed:
    trib_free(library);
    return status;
}

void trib_onednn_close(trib_onednn *library)
{
    if (!library) return;
    trib_dnnl.engine_destroy(library->engine);
    trib_free(library);
}

static const char *runtime_name(const dnnl_version_t *version)
{
    switch (version->cpu_runtime) {
    case DNNL_RUNTIME_OMP: return "OpenMP";
    case DNNL_RUNTIME_TBB: return "TBB";
    case DNNL_RUNTIME_SEQ: return "sequential";
    default: return "other threads";
    }
}

/* The instruction sets are bit sets, each including the earlier ones in its row. */
static const struct {
    unsigned bits;
    const char *name;
    trib_layout blocked; /* the best layout of its convolutions; TRIB_NHWC: no blocked one */
} instruction_sets[] = {
    { dnnl_cpu_isa_sse41, "sse4.1", TRIB_NHWC },
    { dnnl_cpu_isa_avx, "avx", TRIB_NHWC },
    { dnnl_cpu_isa_avx2, "avx2", TRIB_NCHW8C },
    { dnnl_cpu_isa_avx512_core, "avx512_core", TRIB_NCHW16C },
    { dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni", TRIB_NCHW16C },
    { dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16", TRIB_NCHW16C },
};

void trib_onednn_describe(trib_device_info *info)
{
    trib_status missing = trib_onednn_load();
    if (trib_failed(&missing)) {
        snprintf(info->library, sizeof info->library, "plain C only, slow; %.360s", missing.message);
        return;
    }
    const dnnl_version_t *version = trib_dnnl.version();
    snprintf(info->library, sizeof info->library, "oneDNN %d.%d.%d (%s)", version->major, version->minor,
             version->patch, runtime_name(version));
    unsigned isa = (unsigned)trib_dnnl.get_effective_cpu_isa();
    trib_layout blocked = TRIB_NHWC;
    for (size_t i = 0; i < sizeof instruction_sets / sizeof *instruction_sets; ++i) {
        if ((isa & instruction_sets[i].bits) != instruction_sets[i].bits) continue;
        snprintf(info->instructions, sizeof info->instructions, "%s", instruction_sets[i].name);
        blocked = instruction_sets[i].blocked;
    }
    /* Blocked first, for 2.6 and 3.2 alike: never slower than NHWC, a slice of one image is one piece of memory, and
     * 2.x has Winograd convolutions for it. */
    info->layout_count = 0;
    if (blocked != TRIB_NHWC) info->layouts[info->layout_count++] = blocked;
    info->layouts[info->layout_count++] = TRIB_NHWC;
}

trib_status trib_onednn_stream_create(trib_onednn *library, struct dnnl_stream **out)
{
    trib_status status = trib_success();
    *out = NULL;
    if (!library) return status;
    TRIB_DNNL_TRY_GOTO(status, failed, trib_dnnl.stream_create(out, library->engine, dnnl_stream_default_flags));
failed:
    return status;
}

void trib_onednn_stream_destroy(struct dnnl_stream *stream)
{
    if (stream) trib_dnnl.stream_destroy(stream);
}
