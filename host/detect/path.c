/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/path.h"

#include "data/input.h"
#include "formats/file.h"

trib_status trib_join_path(const char *folder, const char *name, size_t length, const char *end, char **path)
{
    trib_text text = { 0 };
    trib_text_add(&text, folder);
    trib_text_add(&text, "/");
    trib_text_put(&text, name, length);
    trib_text_add(&text, end);
    if (text.failed) {
        trib_text_free(&text);
        return trib_no_memory(folder);
    }
    *path = text.bytes;
    return trib_success();
}

trib_status trib_write_text(const char *path, const trib_text *text)
{
    trib_output *output = NULL;
    if (text->failed) return trib_no_memory(path);
    TRIB_TRY(trib_output_open(path, &output));
    trib_status s = trib_output_write(output, text->bytes, text->size);
    if (!trib_failed(&s)) return trib_output_commit(output);
    trib_output_abandon(output);
    return s;
}
