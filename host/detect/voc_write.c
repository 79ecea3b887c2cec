/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/voc.h"

#include "train/number.h"

static void put_number(trib_text *text, const char *name, double value)
{
    char number[TRIB_NUMBER_TEXT];
    trib_text_format(text, "<%s>%s</%s>", name, trib_number_text(value, number), name);
}

static void put_object(const trib_truths *truths, const trib_truth *t, int first_pixel, trib_text *text)
{
    trib_text_add(text, "  <object>\n    <name>");
    trib_text_xml(text, truths->categories[t->category].name);
    trib_text_format(text, "</name>\n    <truncated>%d</truncated>\n    <difficult>%d</difficult>\n    <bndbox>",
                     t->truncated, t->difficult || t->crowd);
    put_number(text, "xmin", t->box.x + first_pixel);
    put_number(text, "ymin", t->box.y + first_pixel);
    put_number(text, "xmax", t->box.x + t->box.width - 1 + first_pixel);
    put_number(text, "ymax", t->box.y + t->box.height - 1 + first_pixel);
    trib_text_add(text, "</bndbox>\n  </object>\n");
}

void trib_voc_write(const trib_truths *truths, const trib_by_image *places, int image, int first_pixel, trib_text *text)
{
    const trib_boxed_image *im = &truths->images[image];
    trib_text_add(text, "<annotation>\n  <filename>");
    trib_text_xml(text, im->name);
    trib_text_format(text, "</filename>\n  <size><width>%d</width><height>%d</height><depth>3</depth></size>\n",
                     im->width, im->height);
    for (size_t i = places->first[image]; i < places->first[image + 1]; ++i)
        put_object(truths, &truths->items[places->list[i]], first_pixel, text);
    trib_text_add(text, "</annotation>\n");
}
