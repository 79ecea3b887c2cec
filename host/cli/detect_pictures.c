/* SPDX-License-Identifier: Apache-2.0 */
#include "detect_pictures.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "detect/draw_boxes.h"
#include "formats/file.h"
#include "formats/sha256.h"
#include "image/draw.h"
#include "image/png_write.h"
#include "tributary/internal/alloc.h"

static const char software[] = "tributary detect";

/* ---- the folder ---- */

static trib_status has_files(const char *folder, bool *some)
{
    DIR *stream = opendir(folder);
    if (!stream) return TRIB_FILE_ERROR("opendir", "list its files", folder, errno);
    *some = false;
    errno = 0;
    for (const struct dirent *entry; !*some && (entry = readdir(stream));)
        *some = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    trib_status status = errno ? TRIB_FILE_ERROR("readdir", "list its files", folder, errno) : trib_success();
    closedir(stream);
    return status;
}

/* `own` is a path without links; so is what realpath makes of the input, if it is a file or folder at all. */
static trib_status check_input(const char *folder, const char *own, const char *input)
{
    char *other = realpath(input, NULL);
    if (!other) return errno == ENOMEM ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a path") : trib_success();
    size_t length = strlen(other);
    if (length == 1) length = 0; /* "/" holds everything */
    const bool begins = strncmp(own, other, length) == 0;
    const bool same = begins && !own[length], inside = begins && own[length] == '/';
    free(other);
    if (same) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "--draw %s is also an input; name another folder", folder);
    if (!inside) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "--draw %s lies in the input %s, so the next time its pictures would be inputs; name a folder "
                      "outside",
                      folder, input);
}

static trib_status check_inputs(const char *folder, const cli_texts *arguments, int first)
{
    trib_status s = trib_success();
    char *own = realpath(folder, NULL);
    if (!own) return TRIB_FILE_ERROR("realpath", "resolve", folder, errno);
    for (int i = first; i < arguments->count && !trib_failed(&s); ++i)
        s = check_input(folder, own, arguments->items[i]);
    free(own);
    return s;
}

trib_status cli_pictures_open(cli_pictures *pictures, bool resumes, const cli_texts *arguments, int first_input)
{
    const char *folder = pictures->folder;
    bool some = false;
    TRIB_TRY(trib_png_can_write());
    const bool created = mkdir(folder, 0777) == 0;
    if (!created && errno != EEXIST) return TRIB_FILE_ERROR("mkdir", "make the folder", folder, errno);
    trib_status status = check_inputs(folder, arguments, first_input);
    if (trib_failed(&status) && created) rmdir(folder);
    if (trib_failed(&status)) return status;
    TRIB_TRY(has_files(folder, &some));
    if (some && !resumes && !pictures->overwrite)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "%s: has files in it; name another folder, or let files of the same names be replaced by "
                          "--overwrite",
                          folder);
    return trib_success();
}

void cli_pictures_close(cli_pictures *pictures)
{
    trib_free(pictures->drawn);
    pictures->drawn = NULL;
}

/* ---- names ---- */

static void append_byte(cli_buffer *out, unsigned char byte, bool first)
{
    const bool plain = byte >= 0x20 && byte != 0x7F && byte != '%' && byte != '+' && byte != '~';
    if (byte == '/')
        cli_append(out, "+", 1);
    else if (plain && !(first && byte == '.'))
        cli_append(out, (const char *)&byte, 1);
    else
        cli_append_format(out, "%%%02X", byte);
}

void cli_picture_name(const char *image, cli_buffer *out)
{
    enum { LONGEST = 200, SUM = 16 }; /* of a file's 255 bytes, with room for an ending and for a temporary name */
    char sum[TRIB_SHA256_TEXT];
    cli_buffer_clear(out);
    for (const char *c = image; *c; ++c) append_byte(out, (unsigned char)*c, c == image);
    if (out->failed || out->size <= LONGEST) return;
    trib_sha256_of_bytes(image, strlen(image), sum);
    memcpy(out->data, sum, SUM);
    memmove(out->data + SUM, out->data + out->size - (LONGEST - SUM), LONGEST - SUM + 1);
    out->size = LONGEST;
}

static uint64_t hash_of(const char *name)
{
    uint64_t hash = trib_golden_ratio;
    for (const char *c = name; *c; ++c) hash = trib_mix(hash ^ (unsigned char)*c);
    return hash + !hash;
}

static uint64_t *place_of(uint64_t *table, size_t size, uint64_t hash)
{
    size_t at = (size_t)hash & (size - 1);
    while (table[at] && table[at] != hash) at = (at + 1) & (size - 1);
    return &table[at];
}

static trib_status make_room(cli_pictures *p)
{
    const size_t size = p->size ? 2 * p->size : 64;
    if (2 * p->count < p->size) return trib_success();
    uint64_t *table = trib_alloc_zeroed(size, sizeof *table);
    if (!table) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the names of pictures");
    for (size_t i = 0; i < p->size; ++i)
        if (p->drawn[i]) *place_of(table, size, p->drawn[i]) = p->drawn[i];
    trib_free(p->drawn);
    p->drawn = table;
    p->size = size;
    return trib_success();
}

/* *again: there already is a picture of this name. */
static trib_status remember(cli_pictures *p, const char *name, bool *again)
{
    const uint64_t hash = hash_of(name);
    TRIB_TRY(make_room(p));
    uint64_t *place = place_of(p->drawn, p->size, hash);
    *again = *place == hash;
    p->count += !*place;
    *place = hash;
    return trib_success();
}

static trib_status path_of(cli_pictures *p, const cli_boxed_image *image, cli_buffer *path)
{
    cli_buffer name = { 0 };
    bool again = false;
    cli_picture_name(image->name, &name);
    trib_status status = name.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a picture")
                                     : remember(p, name.data ? name.data : "", &again);
    cli_append(path, p->folder, strlen(p->folder));
    cli_append(path, "/", 1);
    if (name.size) cli_append(path, name.data, name.size);
    if (again) cli_append_format(path, "~%" PRId64, image->index + 1);
    cli_append(path, ".png", 4);
    cli_buffer_release(&name);
    if (!trib_failed(&status) && path->failed)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a picture");
    return status;
}

/* ---- pictures ---- */

static void draw(const cli_pictures *p, trib_image *picture, const cli_boxed_image *image, const char *const *labels)
{
    char text[64];
    for (size_t i = image->count; i-- > 0;) { /* the surest last, on top */
        const trib_scored_box *b = &image->boxes[i];
        if (!(b->score >= p->threshold)) continue;
        snprintf(text, sizeof text, "%.40s %.0f%%", labels[b->klass], 100 * b->score);
        trib_draw_box(picture, &b->box, trib_class_colour(b->klass), text);
    }
}

static trib_status check_existing(const cli_pictures *p, const char *path)
{
    uint8_t head[TRIB_PNG_SOFTWARE_BYTES];
    struct stat info;
    if (p->overwrite || stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return trib_success();
    FILE *file = fopen(path, "rb");
    if (!file) return TRIB_FILE_ERROR("fopen", "read it", path, errno);
    const size_t size = fread(head, 1, sizeof head, file);
    fclose(file);
    if (trib_png_is_by(head, size, software)) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%s: already exists, and 'tributary detect' did not draw it; name another folder, or replace it "
                      "with --overwrite",
                      path);
}

static trib_status write_file(const char *path, const uint8_t *bytes, size_t size)
{
    trib_output *output;
    TRIB_TRY(trib_output_open(path, &output));
    trib_status status = trib_output_write(output, bytes, size);
    if (trib_failed(&status)) {
        trib_output_abandon(output);
        return status;
    }
    return trib_output_commit(output);
}

static trib_status write_picture(const cli_pictures *p, const trib_image *picture, const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(check_existing(p, path));
    trib_status status = trib_png_write(picture, software, &bytes, &size);
    if (!trib_failed(&status)) status = write_file(path, bytes, size);
    trib_free(bytes);
    return status;
}

trib_status cli_pictures_draw(cli_pictures *pictures, trib_image *picture, const cli_boxed_image *image,
                              const char *const *labels)
{
    cli_buffer path = { 0 };
    draw(pictures, picture, image, labels);
    trib_status status = path_of(pictures, image, &path);
    if (!trib_failed(&status)) status = write_picture(pictures, picture, path.data);
    cli_buffer_release(&path);
    return status;
}
