/* SPDX-License-Identifier: Apache-2.0
 *
 *     title
 *     Loss                          a panel: heading, legend in rows, plot, notes
 *     -- train  - - validation
 *     2 |........
 *     0 |________
 *        0  5  10
 *         epoch                     under the last panel */
#include "plot/curves.h"

#include <math.h>
#include <string.h>

#include "data/file.h"
#include "formats/file.h"
#include "plot/ticks.h"

/* Units of the picture. It is narrow, so that 16 are readable on a phone. */
enum {
    WIDTH = 520,
    LEFT = 68,  /* of the plot: numbers stand beside it */
    RIGHT = 26, /* half of a number beside the last tick */
    TITLE_LEFT = 14,
    PLOT_WIDTH = WIDTH - LEFT - RIGHT,
    PLOT_HEIGHT = 170,
    LINE = 22, /* of text */
    FONT = 16,
    TICKS_BELOW = 24,
    GAP = 14,             /* between panels */
    SWATCH = 34,          /* of the legend: a piece of the curve */
    BUCKETS = PLOT_WIDTH, /* across the plot: about what a screen shows */
    X_TICKS = 6,
    Y_TICKS = 4
};

static const char style[] =
    "<style>"
    "svg{max-width:100%;height:auto;background:#fff}"
    "text{font:16px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#222}"
    ".t{font-size:18px;font-weight:600}.h{font-weight:600}.n{font-size:14px;fill:#555}.k{font-size:14px;fill:#444}"
    ".g{stroke:#ddd;stroke-width:1}.a{stroke:#777;stroke-width:1}"
    ".c{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.d{stroke-dasharray:6 5}"
    ".s0{stroke:#0063a6}.s1{stroke:#c94f00}.s2{stroke:#007a57}.s3{stroke:#a8458a}.s4{stroke:#8a6d00}.s5{stroke:#555}"
    "@media screen and (prefers-color-scheme:dark){svg{background:#16181c}text{fill:#eee}.n{fill:#aaa}.k{fill:#bbb}"
    ".g{stroke:#363a42}.a{stroke:#888}.s0{stroke:#6db6f5}.s1{stroke:#ff9a52}.s2{stroke:#42cf9f}.s3{stroke:#eb9ad2}"
    ".s4{stroke:#e2c04c}.s5{stroke:#bbb}}"
    "</style>\n";

/* ---- what is in the curves ---- */

static size_t stride(const trib_curve *c) { return c->stride ? c->stride : 1; }
static double x_at(const trib_curve *c, size_t i) { return c->x[i * stride(c)]; }
static double y_at(const trib_curve *c, size_t i) { return c->y[i * stride(c)]; }

static bool is_drawn(const trib_curve *c, size_t i)
{
    return fabs(x_at(c, i)) <= 1e30 && fabs(y_at(c, i)) <= 1e30; /* false for NaN */
}

typedef struct range {
    double low, high;
} range;

static const range nothing = { INFINITY, -INFINITY };

static void include(range *r, double value)
{
    r->low = fmin(r->low, value);
    r->high = fmax(r->high, value);
}

/* Points that are drawn; ranges grow by them. */
static size_t measure(const trib_curve *c, range *x, range *y)
{
    size_t drawn = 0;
    for (size_t i = 0; i < c->count; ++i) {
        if (!is_drawn(c, i)) continue;
        include(x, x_at(c, i));
        include(y, y_at(c, i));
        ++drawn;
    }
    return drawn;
}

static size_t measure_panel(const trib_curve_panel *p, range *x, range *y)
{
    size_t drawn = 0;
    for (int i = 0; i < p->count; ++i) drawn += measure(&p->curves[i], x, y);
    return drawn;
}

/* The last value that is drawn; NaN if there is none. */
static double last_value(const trib_curve *c)
{
    for (size_t i = c->count; i-- > 0;)
        if (is_drawn(c, i)) return y_at(c, i);
    return NAN;
}

/* Points that are expected but not drawn: an average has none before it begins. */
static size_t gaps(const trib_curve *c)
{
    size_t first = 0, missing = 0;
    while (first < c->count && isnan(y_at(c, first))) ++first;
    for (size_t i = first; i < c->count; ++i) missing += !is_drawn(c, i);
    return missing;
}

/* ---- the path of a curve ---- */

/* A plot: where values are in the picture. */
typedef struct plot {
    trib_ticks x, y;
    double top;
} plot;

static double across(const plot *p, double x) { return LEFT + (x - p->x.low) / (p->x.high - p->x.low) * PLOT_WIDTH; }

static double down(const plot *p, double y)
{
    return p->top + (1 - (y - p->y.low) / (p->y.high - p->y.low)) * PLOT_HEIGHT;
}

/* A path being written. */
typedef struct path {
    trib_text *text;
    const plot *plot;
    const trib_curve *curve;
    size_t points; /* since the last gap */
} path;

static void put_point(path *p, size_t i)
{
    const double x = across(p->plot, x_at(p->curve, i)), y = down(p->plot, y_at(p->curve, i));
    trib_text_format(p->text, "%s%.1f %.1f", p->points++ ? "L" : "M", x, y);
}

/* A point between gaps is a line of no length, which its round ends make a dot. */
static void put_gap(path *p)
{
    if (p->points == 1) trib_text_add(p->text, "h0");
    p->points = 0;
}

/* The lowest and the highest of points first .. end - 1, in their order. */
static void put_bucket(path *p, size_t first, size_t end)
{
    size_t low = first, high = first;
    for (size_t i = first; i < end; ++i) {
        if (y_at(p->curve, i) < y_at(p->curve, low)) low = i;
        if (y_at(p->curve, i) > y_at(p->curve, high)) high = i;
    }
    put_point(p, low < high ? low : high);
    if (low != high) put_point(p, low < high ? high : low);
}

static long bucket_of(const path *p, size_t i)
{
    return (long)((across(p->plot, x_at(p->curve, i)) - LEFT) / PLOT_WIDTH * BUCKETS);
}

static void put_points(path *p)
{
    const trib_curve *c = p->curve;
    for (size_t i = 0, end; i < c->count; i = end) {
        end = i + 1;
        if (!is_drawn(c, i)) {
            put_gap(p);
            continue;
        }
        while (end < c->count && is_drawn(c, end) && bucket_of(p, end) == bucket_of(p, i)) ++end;
        put_bucket(p, i, end);
    }
    put_gap(p);
}

/* Lines of no length, which their round ends make dots. */
static void put_dots(trib_text *t, const plot *plot, const trib_curve *c)
{
    trib_text_format(t, "<path class=\"c s%d\" style=\"stroke-width:7\" d=\"", c->color % TRIB_CURVE_COLORS);
    for (size_t i = 0; i < c->count; ++i)
        if (is_drawn(c, i)) trib_text_format(t, "M%.1f %.1fh0", across(plot, x_at(c, i)), down(plot, y_at(c, i)));
    trib_text_add(t, "\"/>\n");
}

static void put_curve(trib_text *t, const plot *plot, const trib_curve *c)
{
    range x = nothing, y = nothing;
    const size_t drawn = measure(c, &x, &y);
    if (!drawn) return;
    const int color = c->color % TRIB_CURVE_COLORS;
    trib_text_format(t, "<path class=\"c s%d%s\"%s d=\"", color, c->dashed && drawn > 1 ? " d" : "",
                     drawn == 1 ? " stroke-width=\"7\" style=\"stroke-width:7\"" : "");
    put_points(&(path) { t, plot, c, 0 });
    trib_text_add(t, "\"/>\n");
    if (c->dots && drawn > 1) put_dots(t, plot, c);
}

/* ---- axes ---- */

static void put_y_axis(trib_text *t, const plot *p)
{
    char number[TRIB_TICK_TEXT];
    for (int i = 0; i < p->y.count; ++i) {
        const double y = down(p, trib_tick_value(&p->y, i));
        trib_text_format(t, "<line class=\"g\" x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>", LEFT, LEFT + PLOT_WIDTH,
                         y, y);
        trib_text_format(t, "<text class=\"k\" x=\"%d\" y=\"%.2f\" text-anchor=\"end\">%s</text>\n", LEFT - 7, y + 5,
                         trib_tick_text(&p->y, i, number));
    }
}

static void put_x_axis(trib_text *t, const plot *p, const trib_curves *c)
{
    char number[TRIB_TICK_TEXT];
    const double bottom = p->top + PLOT_HEIGHT;
    trib_text_format(t, "<line class=\"a\" x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>\n", LEFT, LEFT + PLOT_WIDTH,
                     bottom, bottom);
    for (int i = 0; i < p->x.count; ++i) {
        const double x = across(p, trib_tick_value(&p->x, i));
        trib_text_format(t, "<line class=\"a\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%.2f\" y2=\"%.2f\"/>", x, x, bottom,
                         bottom + 5);
        trib_text_format(t, "<text class=\"k\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">", x, bottom + 20);
        trib_text_xml(t, c->x_names ? c->x_names[i] : trib_tick_text(&p->x, i, number));
        trib_text_add(t, "</text>\n");
    }
}

/* ---- legend ---- */

/* "train loss 1.234": the name with the last value, unless that says nothing. */
static void put_label(trib_text *t, const trib_curve *c, bool parts)
{
    const double value = parts ? NAN : last_value(c);
    trib_text_xml(t, c->name);
    if (!isnan(value)) trib_text_format(t, " %.4g", value);
}

/* Of its letters, by their average width. */
static double label_width(const trib_curve *c, bool parts)
{
    size_t letters = parts ? 0 : 6;
    for (const char *p = c->name; *p; ++p) letters += ((unsigned char)*p & 0xC0) != 0x80;
    return SWATCH + (double)letters * 0.56 * FONT + 16;
}

/* Writes, or if `t` is NULL only counts, the rows of the legend from `top` on. */
static int put_legend(trib_text *t, const trib_curve_panel *p, bool parts, double top)
{
    int rows = 1;
    double x = LEFT;
    for (int i = 0; i < p->count; ++i) {
        const trib_curve *c = &p->curves[i];
        const double width = label_width(c, parts);
        if (x > LEFT && x + width > WIDTH) {
            ++rows;
            x = LEFT;
        }
        const double y = top + rows * LINE - 6;
        if (t) {
            trib_text_format(t, "<path class=\"c s%d%s\" d=\"M%.2f %.2fh26\"/>", c->color % TRIB_CURVE_COLORS,
                             c->dashed ? " d" : "", x, y - 5);
            trib_text_format(t, "<text x=\"%.2f\" y=\"%.2f\">", x + SWATCH, y);
            put_label(t, c, parts);
            trib_text_add(t, "</text>\n");
        }
        x += width;
    }
    return rows;
}

static int put_notes(trib_text *t, const trib_curve_panel *p, double top)
{
    int rows = 0;
    for (int i = 0; i < p->count; ++i) {
        const size_t missing = gaps(&p->curves[i]);
        if (!missing) continue;
        ++rows;
        if (!t) continue;
        trib_text_format(t, "<text class=\"n\" x=\"%d\" y=\"%.2f\">", LEFT, top + rows * LINE - 6);
        trib_text_xml(t, p->curves[i].name);
        trib_text_format(t, ": %zu value%s not finite: gap%s</text>\n", missing, missing == 1 ? " is" : "s are",
                         missing == 1 ? "" : "s");
    }
    return rows;
}

/* ---- the picture ---- */

static double panel_height(const trib_curve_panel *p, bool parts)
{
    return LINE * (1 + put_legend(NULL, p, parts, 0) + put_notes(NULL, p, 0)) + PLOT_HEIGHT + TICKS_BELOW + GAP;
}

static void put_panel(trib_text *t, const trib_curves *c, const trib_curve_panel *p, const trib_ticks *x, double top)
{
    range unused = nothing, y = nothing;
    measure_panel(p, &unused, &y);
    if (p->from_zero || c->parts) include(&y, 0);
    if (c->parts) include(&y, 1);
    trib_text_format(t, "<text class=\"h\" x=\"%d\" y=\"%.2f\">", LEFT, top + LINE - 6);
    trib_text_xml(t, p->title);
    trib_text_add(t, "</text>\n");
    const int rows = put_legend(t, p, c->parts, top + LINE);
    const plot plot = { *x, trib_ticks_for(y.low, y.high, Y_TICKS, false), top + LINE * (1 + rows) + 4 };
    put_y_axis(t, &plot);
    put_x_axis(t, &plot, c);
    for (int i = 0; i < p->count; ++i) put_curve(t, &plot, &p->curves[i]);
    put_notes(t, p, plot.top + PLOT_HEIGHT + TICKS_BELOW);
}

/* "40.5 at 1, 61.2 at 32." */
static void describe_points(trib_text *t, const trib_curve *c, const char *const *x_names)
{
    for (size_t i = 0, shown = 0; i < c->count; ++i) {
        if (!is_drawn(c, i)) continue;
        trib_text_format(t, "%s%.4g at ", shown++ ? ", " : ": ", y_at(c, i));
        trib_text_xml(t, x_names[(size_t)x_at(c, i)]);
    }
    trib_text_add(t, ". ");
}

static void describe_curve(trib_text *t, const trib_curve *c, const char *const *x_names)
{
    range x = nothing, y = nothing;
    const size_t drawn = measure(c, &x, &y);
    trib_text_xml(t, c->name);
    if (!drawn) {
        trib_text_add(t, x_names ? ": nothing. " : ": nothing yet. ");
        return;
    }
    if (x_names) {
        describe_points(t, c, x_names);
        return;
    }
    trib_text_format(t, ": %zu point%s, lowest %.4g, highest %.4g, last %.4g. ", drawn, drawn == 1 ? "" : "s", y.low,
                     y.high, last_value(c));
}

static void describe(trib_text *t, const trib_curves *c)
{
    trib_text_add(t, "<title id=\"title\">");
    trib_text_xml(t, c->title);
    trib_text_add(t, "</title>\n<desc id=\"desc\">");
    for (int i = 0; i < c->count; ++i) {
        trib_text_xml(t, c->panels[i].title);
        trib_text_add(t, " by ");
        trib_text_xml(t, c->x_title);
        trib_text_add(t, ". ");
        for (int k = 0; k < c->panels[i].count; ++k) describe_curve(t, &c->panels[i].curves[k], c->x_names);
    }
    trib_text_add(t, "</desc>\n");
}

static bool is_shown(const trib_curve_panel *p)
{
    range x = nothing, y = nothing;
    return measure_panel(p, &x, &y) > 0;
}

/* The axis ends with the last point, and not with a tick; names stand in the middle of their places. */
static trib_ticks x_ticks(const trib_curves *c, const range *x)
{
    if (c->x_names)
        return (trib_ticks) { .low = -0.5, .high = c->x_name_count - 0.5, .step = 1, .count = c->x_name_count };
    if (c->parts) return trib_ticks_for(0, 1, X_TICKS, false);
    trib_ticks t = trib_ticks_for(x->low, x->high, X_TICKS, true);
    if (x->high > x->low && t.high > x->high) {
        t.high = x->high;
        t.count = (int)((t.high - t.low) / t.step + 1e-9) + 1;
    }
    return t;
}

void trib_curves_svg(const trib_curves *c, trib_text *t)
{
    range x = nothing, y = nothing;
    double height = LINE + GAP, top = LINE + GAP;
    size_t drawn = 0;
    for (int i = 0; i < c->count; ++i) drawn += measure_panel(&c->panels[i], &x, &y);
    for (int i = 0; i < c->count; ++i) height += is_shown(&c->panels[i]) ? panel_height(&c->panels[i], c->parts) : 0;
    height += LINE + GAP;
    trib_text_format(t,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" "
                     "role=\"img\" aria-labelledby=\"title desc\">\n",
                     height * 640 / WIDTH, WIDTH, height);
    describe(t, c);
    trib_text_add(t, style);
    trib_text_format(t, "<text class=\"t\" x=\"%d\" y=\"%d\">", TITLE_LEFT, LINE + 2);
    trib_text_xml(t, c->title);
    trib_text_add(t, "</text>\n");
    const trib_ticks across = drawn ? x_ticks(c, &x) : (trib_ticks) { 0, 1, 1, 2 };
    for (int i = 0; i < c->count; ++i) {
        if (!is_shown(&c->panels[i])) continue;
        put_panel(t, c, &c->panels[i], &across, top);
        top += panel_height(&c->panels[i], c->parts);
    }
    trib_text_format(t, "<text x=\"%d\" y=\"%.2f\" text-anchor=\"middle\">", LEFT + PLOT_WIDTH / 2, top + 4);
    trib_text_xml(t, drawn ? c->x_title : "nothing was measured yet");
    trib_text_add(t, "</text>\n</svg>\n");
}

trib_status trib_curves_write(const char *path, const trib_curves *curves)
{
    trib_text text = { 0 };
    trib_output *output = NULL;
    trib_curves_svg(curves, &text);
    trib_status s = text.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to draw it", trib_shorten(path).text)
                                : trib_output_open(path, &output);
    if (!trib_failed(&s)) s = trib_output_write(output, text.bytes, text.size);
    trib_text_free(&text);
    if (!trib_failed(&s)) return trib_output_commit(output);
    trib_output_abandon(output);
    return s;
}
