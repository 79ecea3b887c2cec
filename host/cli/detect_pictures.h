/* SPDX-License-Identifier: Apache-2.0
 * detect --draw DIR: each picture with its boxes, as a PNG file in one folder.
 *
 * A file is called after its image: "photos/a.jpg" is drawn in DIR/photos+a.jpg.png. A '/' becomes '+', and control
 * characters, '+', '%', '~' and a dot at the beginning become %XX, so that different images have different files, none
 * of them outside of DIR; an image whose name came before gets "~NUMBER", its place in the inputs. Of a very long name
 * the end is kept, after a part of its SHA-256. */
#ifndef TRIBUTARY_CLI_DETECT_PICTURES_H
#define TRIBUTARY_CLI_DETECT_PICTURES_H

#include "box_rows.h"
#include "options.h"
#include "tributary/image.h"

/* Zero-initialise; close. */
typedef struct cli_pictures {
    const char *folder; /* NULL: nothing is drawn */
    double threshold;   /* boxes with lower scores are not drawn */
    bool overwrite;     /* any file; otherwise only one that this command drew */
    uint64_t *drawn;    /* owned; hashes of the files' names, 0: free */
    size_t count, size;
} cli_pictures;

/* Creates the folder if it is missing. A folder with files in it is refused unless they may be overwritten, or
 * `resumes` says that they are of an earlier part of this run; and so is one that is an input or lies in one. */
trib_status cli_pictures_open(cli_pictures *pictures, bool resumes, const cli_texts *arguments, int first_input);
void cli_pictures_close(cli_pictures *pictures);

/* Draws the image's boxes on its picture (8-bit RGB), and writes it. */
trib_status cli_pictures_draw(cli_pictures *pictures, trib_image *picture, const cli_boxed_image *image,
                              const char *const *labels);

/* A file's name in the folder, without ".png". `out` is cleared first. */
void cli_picture_name(const char *image, cli_buffer *out);

#endif
