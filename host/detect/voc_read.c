/* SPDX-License-Identifier: Apache-2.0
 * An annotation's elements, found by their paths. */
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "detect/fields.h"
#include "detect/truth_fault.h"
#include "detect/voc.h"
#include "detect/xml.h"
#include "tributary/internal/alloc.h"

enum { XMIN, YMIN, XMAX, YMAX, EDGES };

/* What has been read so far. */
typedef struct annotation {
    trib_xml xml;
    const trib_voc_options *options;
    trib_truths *truths;
    size_t first; /* of its boxes in the set */
    char filename[TRIB_XML_TEXT];
    double width, height; /* 0: not known */
    /* The object at hand: */
    char name[TRIB_XML_TEXT];
    bool difficult, truncated;
    double edges[EDGES];
    bool has[EDGES];
} annotation;

static const char *const edge_paths[EDGES] = { "annotation/object/bndbox/xmin", "annotation/object/bndbox/ymin",
                                               "annotation/object/bndbox/xmax", "annotation/object/bndbox/ymax" };

static trib_status read_number(annotation *a, double *out)
{
    if (!a->xml.cut && trib_parse_number(a->xml.text, out)) return trib_success();
    char what[200];
    snprintf(what, sizeof what, "<%.60s> is '%.60s', not a number", strrchr(a->xml.path, '/') + 1, a->xml.text);
    return trib_xml_error(&a->xml, what);
}

/* Tools for drawing boxes write nothing, or Unspecified, where nobody has looked. */
static trib_status read_difficult(annotation *a)
{
    double value = 0;
    if (a->xml.cut || (a->xml.text[0] && strcmp(a->xml.text, "Unspecified") != 0)) TRIB_TRY(read_number(a, &value));
    a->difficult = value != 0;
    return trib_success();
}

/* No rule looks at it: what is no number says nothing. */
static void read_truncated(annotation *a)
{
    double value = 0;
    a->truncated = trib_parse_number(a->xml.text, &value) && value != 0;
}

static trib_status read_words(annotation *a, char *out)
{
    if (a->xml.cut || !a->xml.text[0] || strlen(a->xml.text) > TRIB_MAX_BOX_NAME)
        return trib_xml_error(&a->xml, "a name that is empty or too long");
    strcpy(out, a->xml.text);
    return trib_success();
}

static trib_status category_of(annotation *a, int *category)
{
    const size_t before = a->truths->category_count;
    TRIB_TRY(trib_with_name(trib_truths_category(a->truths, a->name, category), a->xml.name));
    if (!a->options->known_categories || a->truths->category_count == before) return trib_success();
    char what[300];
    snprintf(what, sizeof what, "the class '%.200s' is not in the list of classes", a->name);
    return trib_xml_error(&a->xml, what);
}

static trib_status add_object(annotation *a)
{
    const bool complete = a->has[XMIN] && a->has[YMIN] && a->has[XMAX] && a->has[YMAX];
    if (!a->name[0] || !complete)
        return trib_xml_error(&a->xml, "an object without <name>, or without four edges in <bndbox>");
    const double *e = a->edges;
    trib_truth t = { .image = (int)a->truths->image_count - 1 };
    t.box = (trib_box) { e[XMIN] - a->options->first_pixel, e[YMIN] - a->options->first_pixel, e[XMAX] - e[XMIN] + 1,
                         e[YMAX] - e[YMIN] + 1 };
    t.difficult = a->difficult;
    t.truncated = a->truncated;
    t.area = trib_box_area(&t.box);
    const char *fault = trib_box_fault(&t.box);
    if (fault) return trib_xml_error(&a->xml, fault);
    TRIB_TRY(category_of(a, &t.category));
    return trib_truths_add(a->truths, &t);
}

static void forget_object(annotation *a)
{
    a->name[0] = '\0';
    a->difficult = a->truncated = false;
    memset(a->has, 0, sizeof a->has);
}

static trib_status take(annotation *a)
{
    const char *path = a->xml.path;
    if (!strcmp(path, "annotation/filename")) return read_words(a, a->filename);
    if (!strcmp(path, "annotation/size/width")) return read_number(a, &a->width);
    if (!strcmp(path, "annotation/size/height")) return read_number(a, &a->height);
    if (!strcmp(path, "annotation/object/name")) return read_words(a, a->name);
    if (!strcmp(path, "annotation/object/difficult")) return read_difficult(a);
    if (!strcmp(path, "annotation/object/truncated")) read_truncated(a);
    if (!strcmp(path, "annotation/object")) return add_object(a);
    for (int i = 0; i < EDGES; ++i) {
        if (strcmp(path, edge_paths[i])) continue;
        if (a->has[i]) return trib_xml_error(&a->xml, "an object with two boxes");
        a->has[i] = true;
        return read_number(a, &a->edges[i]);
    }
    return trib_success();
}

static trib_status read_elements(annotation *a)
{
    bool found = false;
    for (trib_xml_event event = TRIB_XML_OPENS; event != TRIB_XML_END;) {
        TRIB_TRY(trib_xml_next(&a->xml, &event));
        if (event == TRIB_XML_OPENS && !strcmp(a->xml.path, "annotation/object")) forget_object(a);
        if (event == TRIB_XML_OPENS && !strcmp(a->xml.path, "annotation")) found = true;
        if (event == TRIB_XML_CLOSES) TRIB_TRY(take(a));
    }
    return found ? trib_success() : trib_xml_error(&a->xml, "no <annotation>: this is not VOC's XML");
}

/* The image was added before its name and size were known. */
static trib_status complete_image(annotation *a)
{
    trib_boxed_image *image = &a->truths->images[a->truths->image_count - 1];
    const double most = 1 << 24;
    if (!(a->width >= 0 && a->width <= most && a->height >= 0 && a->height <= most))
        return trib_xml_error(&a->xml, "<size> is no size of an image");
    image->width = (int)a->width;
    image->height = (int)a->height;
    if (a->filename[0])
        TRIB_TRY(
            trib_with_name(trib_truths_name_image(a->truths, a->truths->image_count - 1, a->filename), a->xml.name));
    for (size_t i = a->first; i < a->truths->count; ++i)
        if (trib_is_outside(&a->truths->items[i].box, image))
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: box %zu is outside of its image of %d x %d",
                              trib_shorten(a->xml.name).text, i - a->first + 1, image->width, image->height);
    return trib_success();
}

trib_status trib_voc_read(const char *bytes, size_t size, const char *name, const trib_voc_options *options,
                          trib_truths *truths)
{
    const char *base = trib_base_name(name);
    char stem[TRIB_MAX_BOX_NAME + 1];
    annotation a = { .options = options, .truths = truths, .first = truths->count };
    snprintf(stem, sizeof stem, "%s", *base ? base : "annotation");
    if (trib_ends_with(stem, ".xml") && strlen(stem) > 4) stem[strlen(stem) - 4] = '\0';
    trib_xml_start(&a.xml, bytes, size, name);
    TRIB_TRY(trib_truths_add_image(truths, stem, (int64_t)truths->image_count + 1, 0, 0));
    TRIB_TRY(read_elements(&a));
    return complete_image(&a);
}

trib_status trib_voc_read_file(const char *path, const trib_voc_options *options, trib_truths *truths)
{
    char *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_read_text(path, &bytes, &size));
    trib_status s = trib_voc_read(bytes, size, path, options, truths);
    trib_free(bytes);
    return s;
}
