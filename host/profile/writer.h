/* SPDX-License-Identifier: Apache-2.0
 * A file that is written piece by piece through a small buffer, so that its size is not limited by memory. The first
 * failure is kept, and everything after it is skipped: only trib_writer_close has to be checked. */
#ifndef TRIBUTARY_HOST_PROFILE_WRITER_H
#define TRIBUTARY_HOST_PROFILE_WRITER_H

#include "formats/file.h"
#include "formats/text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_writer {
    const char *path; /* borrowed, for messages */
    trib_output *output;
    trib_text text; /* what is not written yet: append to it, then call trib_writer_drain */
    trib_status status;
} trib_writer;

/* Begins a new file that replaces `path` when it is closed without a failure. */
trib_writer trib_writer_open(const char *path);
/* Writes the text, but for its last byte, if it is large. False after a failure, so that a long loop can end. */
bool trib_writer_drain(trib_writer *writer);
/* Replaces `path`, or leaves it as it was and returns the first failure, which is `other` if that is one. */
trib_status trib_writer_close(trib_writer *writer, trib_status other);

#ifdef __cplusplus
}
#endif
#endif
