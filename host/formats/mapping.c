/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/file.h"
#include "formats/file.h"
#include "tributary/internal/fault.h"

trib_status trib_mapping_open(const char *path, trib_mapping *out)
{
    int fd = -1;
    int64_t size = 0;
    void *bytes;
    trib_status s;
    TRIB_TRY(trib_open_regular(path, &fd, &size));
    if (size <= 0) {
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: the file is empty", trib_shorten(path).text);
        goto done;
    }
    if ((uint64_t)size > SIZE_MAX) {
        s = TRIB_ERROR(TRIB_UNSUPPORTED, "%s: larger than this machine's address space", trib_shorten(path).text);
        goto done;
    }
    bytes = trib_fault("mmap") ? (errno = ENOMEM, MAP_FAILED) : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        s = trib_file_error("map into memory", path, errno);
        goto done;
    }
    *out = (trib_mapping) { .bytes = bytes, .size = (size_t)size };
    s = trib_success();
done:
    close(fd);
    return s;
}

void trib_mapping_close(trib_mapping *mapping)
{
    if (mapping->size) munmap(mapping->bytes, mapping->size);
    *mapping = (trib_mapping) { 0 };
}

void trib_mapping_release_pages(const trib_mapping *mapping)
{
    /* posix_madvise(POSIX_MADV_DONTNEED) does nothing on Linux. */
    if (mapping->size) (void)madvise(mapping->bytes, mapping->size, MADV_DONTNEED);
}
