/* SPDX-License-Identifier: Apache-2.0
 * Zip archives by their directory, as torch.save writes them.
 *
 * libarchive reads the tar shards of this project, but not these: it goes through members in order, while weights are
 * read by position, those that are wanted; and it does not tell where archives say two things at once, which is how
 * one reader is shown what another one is not. Here the directory at the end counts, a member's own header must agree
 * with it, and nothing overlaps. Checksums are not compared: torch can be told to write wrong ones. */
#ifndef TRIBUTARY_FORMATS_ZIP_H
#define TRIBUTARY_FORMATS_ZIP_H

#include "formats/file.h"

typedef struct trib_zip_member {
    const char *name; /* without control characters */
    uint32_t name_length;
    uint16_t flags, method;
    int64_t packed, size; /* bytes in the file, and unpacked */
    int64_t header;       /* offset of its own header */
    int64_t end;          /* where the next header, or the directory, begins */
} trib_zip_member;

/* Zero-initialise. */
typedef struct trib_zip {
    trib_zip_member *members; /* sorted by name; no two have the same */
    int count;
    char *directory; /* owns the names */
} trib_zip;

/* Reads the directory of a regular file or memory. Messages do not name the file. Free it in any case. */
trib_status trib_zip_read_directory(trib_blob *blob, trib_zip *out);
void trib_zip_free(trib_zip *zip);

/* NULL when missing. */
const trib_zip_member *trib_zip_find(const trib_zip *zip, const char *name);
/* Checks the member's own header; *at is where its bytes begin. */
trib_status trib_zip_locate(trib_blob *blob, const trib_zip_member *member, int64_t *at);
/* The member's bytes, unpacked and followed by a zero byte, in new memory; at most `limit` bytes. Release with
 * trib_free. */
trib_status trib_zip_take(trib_blob *blob, const trib_zip_member *member, int64_t limit, char **bytes);

#endif
