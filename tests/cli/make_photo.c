/* SPDX-License-Identifier: Apache-2.0
 * make_photo WIDTH HEIGHT sequential|progressive: a JPEG on standard output that costs what a photo of that size costs:
 * smooth areas, edges and grain in 4:2:0, about 3 bits per pixel. The same bytes on every machine with one libjpeg. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

static uint32_t noise(uint32_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 17, *state ^= *state << 5;
    return *state;
}

static void fill_row(int y, int width, uint32_t *state, uint8_t *row)
{
    for (int x = 0; x < width; ++x) {
        int edge = ((x / 97) ^ (y / 61)) % 7 * 24, grain = (int)(noise(state) % 24);
        row[3 * x] = (uint8_t)(x * 160 / width + grain);
        row[3 * x + 1] = (uint8_t)(edge + grain);
        row[3 * x + 2] = (uint8_t)(edge / 2 + y % 128 / 4 + grain);
    }
}

int main(int argc, char **argv)
{
    int width = argc == 4 ? atoi(argv[1]) : 0, height = argc == 4 ? atoi(argv[2]) : 0;
    if (width < 1 || height < 1 || width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION)
        return fprintf(stderr, "usage: make_photo WIDTH HEIGHT sequential|progressive\n"), 2;
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors); /* ends the program */
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, stdout);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 90, TRUE);
    if (strcmp(argv[3], "progressive") == 0) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    uint32_t state = 1;
    uint8_t *row = malloc((size_t)width * 3);
    for (int y = 0; row && y < height; ++y) {
        fill_row(y, width, &state, row);
        jpeg_write_scanlines(&jpeg, &(JSAMPROW) { row }, 1);
    }
    free(row);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return row && fflush(stdout) == 0 ? 0 : 1;
}
