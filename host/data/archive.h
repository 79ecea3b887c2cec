/* SPDX-License-Identifier: Apache-2.0
 * A tar file, read with libarchive, member by member. */
#ifndef TRIB_DATA_ARCHIVE_H
#define TRIB_DATA_ARCHIVE_H

#ifdef TRIB_HAVE_ARCHIVE

#include <archive.h>
#include <archive_entry.h>

#include "data/reader.h"

typedef struct trib_archive {
    struct archive *archive;     /* NULL: not open */
    struct archive_entry *entry; /* the member whose header was read; NULL: read the next one */
    trib_reader *reader;         /* borrowed */
    uint8_t *block;
    size_t block_bytes; /* read at a time; 0 before opening: many, for a whole shard */
    bool cancelled;     /* reading was cancelled: nothing more can be read */
} trib_archive;

/* `archive` is zero-initialised but for block_bytes; close it in any case. */
trib_status trib_archive_open(trib_archive *archive, trib_reader *reader);
void trib_archive_close(trib_archive *archive);
/* "SHARD: WHAT: reason", or TRIB_CANCELLED. `call` is the call that failed. */
trib_status trib_archive_failure(const trib_archive *archive, const char *call, const char *what);

/* The member's name without a leading "./"; NULL: it cannot be read. Valid until the next header. */
const char *trib_archive_member(const trib_archive *archive);
/* The target of a link; NULL: the member is not a link. */
const char *trib_archive_link(const trib_archive *archive, bool *symbolic);
/* "a device", "a pipe" ... for a member that is neither a file nor a link. */
const char *trib_archive_type(const trib_archive *archive);
/* The bytes of a regular member, called `name` in messages, at most `most_bytes`. 0: no limit, and memory is taken only
 * as bytes arrive. */
trib_status trib_archive_load(trib_archive *archive, const char *name, int64_t most_bytes, uint8_t **bytes,
                              size_t *size);

#endif
#endif
