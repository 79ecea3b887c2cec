/* SPDX-License-Identifier: Apache-2.0 */
#include "data/recognise.h"

#include <string.h>

#include "data/file.h"
#include "data/stream.h"

bool trib_has_tar_name(const char *path)
{
    return trib_ends_with(path, ".tar") || trib_ends_with(path, ".tar.gz") || trib_ends_with(path, ".tgz");
}

static trib_status by_content(trib_reader *reader, trib_content *out)
{
    uint8_t head[262] = { 0 };
    size_t got = 0;
    trib_status s = trib_stream_look(reader, head, sizeof head, &got);
    *out = TRIB_CONTENT_IMAGE;
    if (memcmp(head + 257, "ustar", 5) == 0) *out = TRIB_CONTENT_TAR;
    if (got >= 4 && !head[0] && !head[1] && head[2] == 8 && head[3] >= 1 && head[3] <= 4) *out = TRIB_CONTENT_IDX;
    /* Damage after the first bytes is found when it is read. */
    return *out != TRIB_CONTENT_IMAGE && s.code == TRIB_BAD_DATA ? trib_success() : s;
}

trib_status trib_recognise(const char *path, trib_reader *reader, trib_content *out)
{
    *out = trib_has_tar_name(path)                               ? TRIB_CONTENT_TAR
           : strstr(trib_base_name(path), "-idx3-ubyte") != NULL ? TRIB_CONTENT_IDX
                                                                 : TRIB_CONTENT_IMAGE;
    if (*out != TRIB_CONTENT_IMAGE) return trib_success();
    if (reader) return by_content(reader, out);
    trib_reader own;
    trib_status s = trib_reader_open(path, -1, &own);
    if (trib_failed(&s)) return s.code == TRIB_OUT_OF_MEMORY ? s : trib_success();
    s = by_content(&own, out);
    trib_reader_close(&own);
    /* A file that opens but cannot be read is reported at its turn as well. */
    return s.code == TRIB_IO_ERROR ? trib_success() : s;
}
