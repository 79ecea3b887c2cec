/* SPDX-License-Identifier: Apache-2.0
 * The driver side of tributary/device.h: the functions that a device implements. Semantics are documented there, slot
 * by slot. A slot exists only if every driver fills it, or it is marked optional. Arguments are checked before a slot
 * is called.
 */
#ifndef TRIBUTARY_RUNTIME_DEVICE_DRIVER_H
#define TRIBUTARY_RUNTIME_DEVICE_DRIVER_H

#include "device/observe.h"
#include "tributary/device.h"

typedef struct trib_driver {
    const char *name;
    void (*close)(trib_device *device);

    trib_status (*alloc)(trib_device *device, trib_stream *stream, size_t bytes, void **out);
    void (*free)(trib_device *device, trib_stream *stream, void *memory);
    trib_memory_stats (*memory)(const trib_device *device);
    void (*set_memory_limit)(trib_device *device, int64_t bytes);
    trib_status (*host_alloc)(trib_device *device, size_t bytes, void **out);
    void (*host_free)(trib_device *device, void *memory);
    trib_memory_stats (*host_memory)(const trib_device *device);
    void (*host_set_memory_limit)(trib_device *device, int64_t bytes);

    trib_status (*stream_create)(trib_device *device, const trib_stream_options *options, trib_stream **out);
    void (*stream_destroy)(trib_stream *stream);
    trib_status (*stream_synchronize)(trib_stream *stream);
    trib_status (*stream_wait)(trib_stream *stream, trib_event *event);

    trib_status (*event_create)(trib_device *device, trib_event **out);
    void (*event_destroy)(trib_event *event);
    trib_status (*event_record)(trib_event *event, trib_stream *stream);
    trib_status (*event_synchronize)(trib_event *event);
    trib_status (*event_elapsed)(trib_event *start, trib_event *end, int64_t *nanoseconds);

    trib_status (*copy_to_device)(trib_stream *stream, void *target, const void *source, size_t bytes);
    trib_status (*copy_to_host)(trib_stream *stream, void *target, const void *source, size_t bytes);
    trib_status (*copy_on_device)(trib_stream *stream, void *target, const void *source, size_t bytes);
    trib_status (*fill_zero)(trib_stream *stream, void *target, size_t bytes);

    /* Optional, all or none: info.has_capture. */
    trib_status (*capture_begin)(trib_stream *stream);
    trib_status (*capture_end)(trib_stream *stream, trib_capture **out);
    trib_status (*capture_replace)(trib_stream *stream, trib_capture *capture);
    trib_status (*capture_launch)(trib_capture *capture, trib_stream *stream);
    void (*capture_destroy)(trib_capture *capture);

    trib_status (*op_implementations)(trib_device *device, const trib_op_desc *desc, bool include_reference,
                                      trib_implementation *out, int capacity, int *count, char *reason);
    /* Optional, all three or none: stores measurements between runs of the program. */
    trib_status (*op_recall)(trib_device *device, const trib_op_desc *desc, const char **name, int64_t *nanoseconds);
    trib_status (*op_remember)(trib_device *device, const trib_op_desc *desc, const char *name, int64_t nanoseconds);
    trib_status (*save_choices)(trib_device *device);
    /* Fills in all of the handle. */
    trib_status (*op_create)(trib_device *device, const trib_op_desc *desc, const char *implementation,
                             trib_op_handle **out);
    void (*op_destroy)(trib_op_handle *op);
    const char *(*op_detail)(const trib_op_handle *op);
    /* Only for ops with packed_bytes. */
    trib_status (*op_pack)(trib_op_handle *op, trib_stream *stream, const trib_op_parameters *parameters, void *packed,
                           void *workspace);
    trib_status (*op_run)(trib_op_handle *op, trib_stream *stream, const void *const *inputs, void *const *outputs,
                          const void *packed, void *workspace);

    /* Optional, all or none: when ops run (see observe.h). `open` leaves *out NULL if there is nothing to observe: then
     * none of the others is called. */
    trib_status (*observation_open)(trib_device *device, const trib_observation_options *options,
                                    trib_observation **out);
    void (*observation_close)(trib_observation *observation);
    trib_status (*observe_begin)(trib_observation *observation, trib_stream *stream, trib_observed_run *run, int op);
    trib_status (*observe_end)(trib_observation *observation, trib_stream *stream);
    /* Tells the times of a run that was waited for. A failure is reported as a loss; the run itself counts as done. */
    trib_status (*observation_collect)(trib_observation *observation, trib_observed_run *run);
    void (*observation_drop)(trib_observation *observation, trib_observed_run *run);
} trib_driver;

/* A driver's own structs begin with these, so that the public functions find the driver. */
struct trib_device {
    const trib_driver *driver;
    trib_device_info info;
    uint64_t process; /* process that opened it, set by trib_device_open; no driver is called in any other */
};
struct trib_stream {
    trib_device *device;
};
struct trib_event {
    trib_device *device;
};
struct trib_capture {
    trib_device *device;
};
struct trib_op_handle {
    trib_device *device;
    const trib_op_desc *desc;                             /* the driver's copy */
    int64_t workspace_bytes, packed_bytes, packing_bytes; /* as in trib_implementation */
};

trib_status trib_cpu_device_open(const trib_device_options *options, trib_device **out);
void trib_cpu_device_describe(trib_device_listing *listing);

#endif
