/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/xml.h"

#include <string.h>

#include "data/file.h"
#include "detect/fields.h"
#include "formats/text.h"

void trib_xml_start(trib_xml *xml, const void *bytes, size_t size, const char *name)
{
    memset(xml, 0, sizeof *xml);
    xml->at = bytes;
    xml->end = xml->at + size;
    xml->name = name;
    xml->line = 1;
    xml->at += trib_mark_length(bytes, size);
}

trib_status trib_xml_error(const trib_xml *xml, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s, line %zu: %s", trib_shorten(xml->name).text, xml->line, what);
}

/* ---- characters ---- */

static bool is_space(unsigned char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_name(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == ':' || c >= 0x80;
}

static void step(trib_xml *xml, size_t bytes)
{
    for (; bytes > 0; --bytes) xml->line += *xml->at++ == '\n';
}

static bool begins(const trib_xml *xml, const char *with)
{
    const size_t length = strlen(with);
    return (size_t)(xml->end - xml->at) >= length && memcmp(xml->at, with, length) == 0;
}

static void skip_space(trib_xml *xml)
{
    while (xml->at < xml->end && is_space(*xml->at)) step(xml, 1);
}

/* Past the next `stop`; false if there is none. */
static bool skip_past(trib_xml *xml, const char *stop)
{
    for (; xml->at < xml->end; step(xml, 1)) {
        if (!begins(xml, stop)) continue;
        step(xml, strlen(stop));
        return true;
    }
    return false;
}

/* ---- text ---- */

static void add_text(trib_xml *xml, const unsigned char *bytes, size_t size)
{
    if (xml->cut || size > TRIB_XML_TEXT - 1 - xml->text_size) {
        xml->cut = true;
        return;
    }
    memcpy(xml->text + xml->text_size, bytes, size);
    xml->text_size += size;
}

static void forget_text(trib_xml *xml)
{
    xml->text_size = 0;
    xml->cut = false;
}

static void end_text(trib_xml *xml)
{
    size_t first = 0;
    while (xml->text_size && is_space((unsigned char)xml->text[xml->text_size - 1])) --xml->text_size;
    while (first < xml->text_size && is_space((unsigned char)xml->text[first])) ++first;
    memmove(xml->text, xml->text + first, xml->text_size - first);
    xml->text[xml->text_size - first] = '\0';
}

static size_t encode(unsigned long code, unsigned char utf8[4])
{
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = length; i-- > 1; code >>= 6) utf8[i] = (unsigned char)(0x80 | (code & 0x3F));
    utf8[0] = (unsigned char)(first[length] | code);
    return length;
}

/* "&#65;" or "&#x41;": the number of a character; 0: none that may be. */
static unsigned long character_number(const char *digits)
{
    const unsigned base = *digits == 'x' ? 16 : 10;
    unsigned long code = 0;
    for (digits += base == 16; *digits && code < 0x110000; ++digits) {
        static const char known[] = "0123456789abcdef0123456789ABCDEF";
        const char *at = strchr(known, *digits);
        const unsigned value = at ? (unsigned)(at - known) % 16 : 16;
        if (value >= base) return 0;
        code = code * base + value;
    }
    const bool valid = code >= 0x20 || code == '\t' || code == '\n' || code == '\r';
    return valid && code < 0x110000 && !(code >= 0xD800 && code < 0xE000) ? code : 0;
}

/* At '&'. */
static trib_status read_entity(trib_xml *xml)
{
    static const struct {
        const char *name, *is;
    } named[] = { { "amp", "&" }, { "lt", "<" }, { "gt", ">" }, { "quot", "\"" }, { "apos", "'" } };
    char name[12];
    size_t length = 0;
    const unsigned char *at = xml->at + 1;
    for (; at < xml->end && *at != ';' && length < sizeof name - 1; ++at) name[length++] = (char)*at;
    name[length] = '\0';
    if (at == xml->end || *at != ';') return trib_xml_error(xml, "an & without an entity; write &amp;");
    step(xml, length + 2);
    for (size_t i = 0; i < sizeof named / sizeof *named; ++i) {
        if (strcmp(name, named[i].name)) continue;
        add_text(xml, (const unsigned char *)named[i].is, 1);
        return trib_success();
    }
    const unsigned long code = name[0] == '#' ? character_number(name + 1) : 0;
    if (!code) return trib_xml_error(xml, "an entity that is not one of XML's own five, nor a character's number");
    unsigned char utf8[4];
    const size_t bytes = encode(code, utf8);
    add_text(xml, utf8, bytes);
    return trib_success();
}

/* One character, which may be several bytes. */
static trib_status read_character(trib_xml *xml)
{
    char sequence[5] = { 0 };
    const size_t left = (size_t)(xml->end - xml->at);
    memcpy(sequence, xml->at, left < 4 ? left : 4);
    const int length = trib_utf8_length(sequence);
    if (!length || (*xml->at < 0x20 && !is_space(*xml->at)))
        return trib_xml_error(xml, "a byte that is not UTF-8 text; convert the file to UTF-8");
    add_text(xml, xml->at, (size_t)length);
    step(xml, (size_t)length);
    return trib_success();
}

static trib_status read_cdata(trib_xml *xml)
{
    step(xml, strlen("<![CDATA["));
    while (!begins(xml, "]]>")) {
        if (xml->at == xml->end) return trib_xml_error(xml, "the file ends in a CDATA section");
        TRIB_TRY(read_character(xml));
    }
    step(xml, 3);
    return trib_success();
}

/* ---- tags ---- */

static trib_status read_name(trib_xml *xml, char name[TRIB_XML_NAME])
{
    size_t length = 0;
    for (; xml->at < xml->end && is_name(*xml->at); step(xml, 1)) {
        if (length == TRIB_XML_NAME - 1) return trib_xml_error(xml, "a name of more than 63 bytes");
        name[length++] = (char)*xml->at;
    }
    name[length] = '\0';
    for (size_t i = 0; i < length; i += (size_t)trib_utf8_length(name + i))
        if (!trib_utf8_length(name + i)) return trib_xml_error(xml, "a name that is not UTF-8");
    return length ? trib_success() : trib_xml_error(xml, "a < without a name; write &lt; in text");
}

static trib_status skip_attribute(trib_xml *xml)
{
    char name[TRIB_XML_NAME];
    TRIB_TRY(read_name(xml, name));
    skip_space(xml);
    if (!begins(xml, "=")) return trib_xml_error(xml, "an attribute without a value");
    step(xml, 1);
    skip_space(xml);
    if (!begins(xml, "\"") && !begins(xml, "'")) return trib_xml_error(xml, "an attribute's value without quotes");
    const char quote[2] = { (char)*xml->at, '\0' };
    step(xml, 1);
    for (; xml->at < xml->end && *xml->at != (unsigned char)*quote; step(xml, 1))
        if (*xml->at == '<') return trib_xml_error(xml, "a < in an attribute's value");
    if (xml->at == xml->end) return trib_xml_error(xml, "the file ends in an attribute's value");
    step(xml, 1);
    return trib_success();
}

static trib_status push(trib_xml *xml, const char *name)
{
    if (xml->depth == TRIB_XML_DEPTH) return trib_xml_error(xml, "elements deeper than 16");
    if (xml->done && !xml->depth) return trib_xml_error(xml, "a second element after the outermost one");
    size_t length = strlen(xml->path);
    if (xml->depth) xml->path[length++] = '/';
    xml->starts[xml->depth++] = length;
    strcpy(xml->path + length, name);
    return trib_success();
}

static void pop(trib_xml *xml)
{
    const size_t start = xml->starts[--xml->depth];
    xml->path[start ? start - 1 : 0] = '\0';
    xml->done = true;
}

static trib_status open_tag(trib_xml *xml)
{
    char name[TRIB_XML_NAME];
    step(xml, 1);
    TRIB_TRY(read_name(xml, name));
    TRIB_TRY(push(xml, name));
    for (;;) {
        const unsigned char *before = xml->at;
        skip_space(xml);
        if (begins(xml, ">") || begins(xml, "/>")) break;
        if (xml->at == xml->end) return trib_xml_error(xml, "the file ends in a tag");
        if (before == xml->at) return trib_xml_error(xml, "a tag that is not <name attribute=\"value\">");
        TRIB_TRY(skip_attribute(xml));
    }
    xml->self_closed = *xml->at == '/';
    step(xml, xml->self_closed ? 2 : 1);
    forget_text(xml);
    return trib_success();
}

static trib_status close_tag(trib_xml *xml)
{
    char name[TRIB_XML_NAME];
    step(xml, 2);
    TRIB_TRY(read_name(xml, name));
    skip_space(xml);
    if (!begins(xml, ">")) return trib_xml_error(xml, "a closing tag without >");
    step(xml, 1);
    if (!xml->depth || strcmp(xml->path + xml->starts[xml->depth - 1], name))
        return trib_xml_error(xml, "a closing tag of an element that is not the open one");
    return trib_success();
}

/* Text, comments and the like up to the next tag; *tag: there is one. */
static trib_status read_between(trib_xml *xml, bool *tag)
{
    for (*tag = false; xml->at < xml->end && !*tag;) {
        if (begins(xml, "<!--") || begins(xml, "<?")) {
            const bool comment = begins(xml, "<!--");
            step(xml, comment ? 4 : 2);
            if (!skip_past(xml, comment ? "-->" : "?>")) return trib_xml_error(xml, "the file ends in a comment or <?");
        } else if (xml->depth && begins(xml, "<![CDATA[")) {
            TRIB_TRY(read_cdata(xml));
        } else if (begins(xml, "<!")) {
            return trib_xml_error(xml,
                                  "a DOCTYPE or the like, which is not read, since it can define entities; remove it");
        } else if (*xml->at == '<') {
            *tag = true;
        } else if (!xml->depth) {
            if (!is_space(*xml->at)) return trib_xml_error(xml, "text outside of all elements: this is not XML");
            step(xml, 1);
        } else {
            TRIB_TRY(*xml->at == '&' ? read_entity(xml) : read_character(xml));
        }
    }
    return trib_success();
}

/* The element is still part of the path while its end is told. */
static trib_status tell_end(trib_xml *xml, trib_xml_event *event)
{
    end_text(xml);
    xml->self_closed = false;
    xml->told = true;
    *event = TRIB_XML_CLOSES;
    return trib_success();
}

trib_status trib_xml_next(trib_xml *xml, trib_xml_event *event)
{
    bool tag = false;
    if (xml->told) {
        xml->told = false;
        forget_text(xml);
        pop(xml);
    }
    if (xml->self_closed) return tell_end(xml, event);
    TRIB_TRY(read_between(xml, &tag));
    if (tag && begins(xml, "</")) {
        TRIB_TRY(close_tag(xml));
        return tell_end(xml, event);
    }
    if (tag) {
        TRIB_TRY(open_tag(xml));
        *event = TRIB_XML_OPENS;
        return trib_success();
    }
    if (xml->depth) return trib_xml_error(xml, "the file ends before all elements are closed");
    if (!xml->done) return trib_xml_error(xml, "no element: this is not XML");
    *event = TRIB_XML_END;
    return trib_success();
}
