/* SPDX-License-Identifier: Apache-2.0
 * Decodes the files whose paths come on standard input, one per line, for against_pil.py. For each it writes a line,
 *     ok WIDTH HEIGHT CHANNELS SIZE, with SIZE bytes of pixels after it, or
 *     failed REASON */
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "tributary.h"
#include "tributary/internal/alloc.h"

static trib_status read_image(const char *path, trib_image *image)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_read_whole(path, &bytes, &size));
    trib_status s = trib_image_decode(bytes, size, NULL, image);
    trib_free(bytes);
    return s;
}

static void dump(const char *path)
{
    trib_image image = { 0 };
    trib_status s = read_image(path, &image);
    if (trib_failed(&s)) {
        printf("failed %s\n", s.message);
    } else {
        size_t size = (size_t)image.width * (size_t)image.height * (size_t)image.channels;
        printf("ok %d %d %d %zu\n", image.width, image.height, image.channels, size);
        fwrite(image.pixels, 1, size, stdout);
        trib_image_release(&image);
    }
    fflush(stdout);
}

int main(void)
{
    char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        dump(path);
    }
    return ferror(stdout) != 0;
}
