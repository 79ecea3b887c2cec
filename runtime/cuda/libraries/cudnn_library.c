/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/libraries/cudnn_library.h"

#include <stdio.h>
#include <string.h>

#include "tributary/internal/alloc.h"

static trib_code code_of(cudnnStatus_t status)
{
    if (status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
        status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
        return TRIB_OUT_OF_MEMORY;
    return CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED ? TRIB_UNSUPPORTED : TRIB_DEVICE_ERROR;
}

trib_status trib_cudnn_failure(cudnnStatus_t status, const char *call, const char *file, int line)
{
    char words[256] = "";
    trib_libcudnn.cudnnGetLastErrorString(words, sizeof words);
    words[sizeof words - 1] = 0;
    for (char *c = words; *c; ++c)
        if (*c == '\n') *c = ' ';
    int name = (int)strcspn(call, "(");
    return trib_make_error(code_of(status), (int)status, file, line, call, "%.*s: %s%s%s", name, call,
                           trib_libcudnn.cudnnGetErrorString(status), *words ? ": " : "", words);
}

/* ---- descriptors ---- */

trib_status trib_cudnn_make(trib_cudnn_bag *bag, cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *out)
{
    if (bag->count == TRIB_CUDNN_BAG_SIZE) return TRIB_ERROR(TRIB_INTERNAL, "more cuDNN descriptors than expected");
    TRIB_CUDNN_TRY(cudnnBackendCreateDescriptor(type, out));
    bag->list[bag->count++] = *out;
    return trib_success();
}

cudnnBackendDescriptor_t trib_cudnn_bag_take(trib_cudnn_bag *bag) { return bag->list[--bag->count]; }

void trib_cudnn_bag_empty(trib_cudnn_bag *bag)
{
    while (bag->count > 0) trib_libcudnn.cudnnBackendDestroyDescriptor(trib_cudnn_bag_take(bag));
}

trib_status trib_cudnn_set(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                           cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    TRIB_CUDNN_TRY(cudnnBackendSetAttribute(d, name, type, count, values));
    return trib_success();
}

trib_status trib_cudnn_set_descriptor(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                      cudnnBackendDescriptor_t value)
{
    return trib_cudnn_set(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

trib_status trib_cudnn_finalize(cudnnBackendDescriptor_t d)
{
    TRIB_CUDNN_TRY(cudnnBackendFinalize(d));
    return trib_success();
}

trib_status trib_cudnn_get(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                           cudnnBackendAttributeType_t type, int64_t count, int64_t *got, void *values)
{
    *got = 0;
    TRIB_CUDNN_TRY(cudnnBackendGetAttribute(d, name, type, count, got, values));
    if (*got > count) *got = count; /* given a count, cuDNN returns the total number */
    return trib_success();
}

/* ---- the library ---- */

/* *card is the descriptor with one attribute set. */
static trib_status describe_card(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                                 const void *value, cudnnBackendDescriptor_t *card)
{
    trib_cudnn_bag bag = { 0 };
    cudnnBackendDescriptor_t d;
    trib_status status;
    TRIB_TRY_GOTO(status, done, trib_cudnn_make(&bag, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d));
    TRIB_TRY_GOTO(status, done, trib_cudnn_set(d, name, type, count, value));
    TRIB_TRY_GOTO(status, done, trib_cudnn_finalize(d));
    *card = trib_cudnn_bag_take(&bag);
done:
    trib_cudnn_bag_empty(&bag);
    return status;
}

static trib_status open_library(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                                const void *value, trib_cudnn **out)
{
    TRIB_TRY(trib_cudnn_load());
    size_t version = trib_libcudnn.cudnnGetVersion();
    if (version < 90800)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "cuDNN %zu is loaded, 90800 (9.8) or newer is needed", version);
    trib_cudnn *library = trib_alloc_zeroed(1, sizeof *library);
    if (!library) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "cuDNN: out of host memory");
    snprintf(library->version, sizeof library->version, "%zu.%zu.%zu", version / 10000, version / 100 % 100,
             version % 100);
    trib_status status = describe_card(name, type, count, value, &library->card);
    if (trib_failed(&status)) {
        trib_add_context(&status, "cuDNN %s", library->version);
        trib_free(library);
        return status;
    }
    *out = library;
    return status;
}

trib_status trib_cudnn_open(int device, trib_cudnn **out)
{
    int32_t ordinal = device;
    return open_library(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32, 1, &ordinal, out);
}

trib_status trib_cudnn_open_described(const char *json, trib_cudnn **out)
{
    return open_library(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, (int64_t)strlen(json), json, out);
}

void trib_cudnn_close(trib_cudnn *library)
{
    if (!library) return;
    trib_libcudnn.cudnnBackendDestroyDescriptor(library->card);
    trib_free(library);
}

const char *trib_cudnn_version(const trib_cudnn *library) { return library->version; }

trib_status trib_cudnn_handle_create(struct CUstream_st *stream, struct cudnnContext **out)
{
    cudnnHandle_t handle;
    TRIB_CUDNN_TRY(cudnnCreate(&handle));
    cudnnStatus_t failed = trib_libcudnn.cudnnSetStream(handle, stream);
    if (failed) {
        trib_status status = trib_cudnn_failure(failed, "cudnnSetStream", __FILE__, __LINE__);
        trib_libcudnn.cudnnDestroy(handle);
        return status;
    }
    *out = handle;
    return trib_success();
}

void trib_cudnn_handle_destroy(struct cudnnContext *handle)
{
    if (handle) trib_libcudnn.cudnnDestroy(handle);
}
