/* SPDX-License-Identifier: Apache-2.0
 * Elements and text of an XML file, one after the other, in memory that does not grow.
 *
 * Annotations need a small part of XML. The larger parsers (expat, libxml2) do much more, and what they do beyond that
 * part (DTDs, entities, other files) is what hostile files make use of: with 300 lines there is no dependency and
 * nothing to switch off. Read: elements, attributes (skipped), text, CDATA, the five named entities and numbers of
 * characters, comments, processing instructions. Refused, with the line: DOCTYPE and thereby all other entities, text
 * that is not UTF-8, elements deeper than 16, names of more than 63 bytes, elements that are not well-formed.
 * Namespaces are part of names. */
#ifndef TRIBUTARY_DETECT_XML_H
#define TRIBUTARY_DETECT_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_XML_DEPTH = 16, TRIB_XML_NAME = 64, TRIB_XML_TEXT = 1024 };

typedef enum trib_xml_event { TRIB_XML_OPENS, TRIB_XML_CLOSES, TRIB_XML_END } trib_xml_event;

typedef struct trib_xml {
    /* Of the event: */
    char path[TRIB_XML_DEPTH * TRIB_XML_NAME]; /* names of the open elements, "annotation/object/name" */
    char text[TRIB_XML_TEXT];                  /* at TRIB_XML_CLOSES: since the last event, without space around it */
    bool cut;                                  /* there was more text than this */
    size_t line;                               /* from 1 */
    /* Inside: */
    const unsigned char *at, *end;
    const char *name;
    size_t starts[TRIB_XML_DEPTH]; /* of each name in `path` */
    size_t text_size;
    int depth;
    bool self_closed, told, done;
} trib_xml;

/* `bytes` and `name`, of the file for messages, must outlive it. */
void trib_xml_start(trib_xml *xml, const void *bytes, size_t size, const char *name);
trib_status trib_xml_next(trib_xml *xml, trib_xml_event *event);
/* A failure that names file and line. */
trib_status trib_xml_error(const trib_xml *xml, const char *what);

#ifdef __cplusplus
}
#endif
#endif
