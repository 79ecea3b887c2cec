/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/nsys_print.h"

#include <string.h>

#include "formats/text.h"

enum { NAME_WIDTH = 28, STREAM_WIDTH = 20 };

const char *trib_nsys_clean(const char *text, char *to, size_t size)
{
    size_t used = 0;
    while (*text) {
        const int length = trib_utf8_length(text);
        const bool control = trib_is_control(text, length);
        const size_t bytes = control ? 1 : (size_t)length;
        if (used + bytes + 1 > size) break; /* no part of a character */
        memcpy(to + used, control ? "?" : text, bytes);
        used += bytes;
        text += length ? length : 1;
    }
    to[used] = '\0';
    return to;
}

static double percent(int64_t part, int64_t whole) { return whole > 0 ? 100.0 * (double)part / (double)whole : 0; }

static double ratio(int64_t a, int64_t b) { return b > 0 ? (double)a / (double)b : 0; }

static const char *plural(int64_t count) { return count == 1 ? "" : "s"; }

static double ms(int64_t ns) { return (double)ns * 1e-6; }

/* ---- notes ---- */

static void print_counts(const trib_nsys_report *report, FILE *out)
{
    if (report->on_cpu) {
        fprintf(out, "no work of a GPU; %lld op%s on the threads of a CPU\n", (long long)report->kinds[TRIB_NSYS_RANGE],
                plural(report->kinds[TRIB_NSYS_RANGE]));
        return;
    }
    const int64_t *kinds = report->kinds;
    fprintf(out, "%lld kernel%s, %lld %s, %lld set%s", (long long)kinds[TRIB_NSYS_KERNEL],
            plural(kinds[TRIB_NSYS_KERNEL]), (long long)kinds[TRIB_NSYS_COPY],
            kinds[TRIB_NSYS_COPY] == 1 ? "copy" : "copies", (long long)kinds[TRIB_NSYS_SET],
            plural(kinds[TRIB_NSYS_SET]));
    if (kinds[TRIB_NSYS_GRAPH])
        fprintf(out, ", %lld graph%s in one block each", (long long)kinds[TRIB_NSYS_GRAPH],
                plural(kinds[TRIB_NSYS_GRAPH]));
    fputs("\n", out);
}

static void print_range_notes(const trib_nsys_report *report, FILE *out)
{
    if (report->deep_threads)
        fprintf(out,
                "note: the NVTX ranges of %lld thread%s are left out: more than %d are within each other, as where "
                "nvtxRangePop is forgotten\n",
                (long long)report->deep_threads, plural(report->deep_threads), TRIB_NSYS_DEEPEST);
    if (report->loose_ranges)
        fprintf(out,
                "note: work is not looked for in %lld range%s of nvtxRangeStart, which may end on any thread; it is in "
                "those of nvtxRangePush\n",
                (long long)report->loose_ranges, plural(report->loose_ranges));
}

static void print_notes(const trib_nsys_report *report, FILE *out)
{
    if (report->kinds[TRIB_NSYS_GRAPH])
        fputs("note: nsys recorded graphs as blocks; --cuda-graph-trace=node shows their kernels\n", out);
    else if (report->in_graphs)
        fprintf(out, "note: %lld op%s ran in graphs, on streams that the driver chose\n", (long long)report->in_graphs,
                plural(report->in_graphs));
    if (report->untimed)
        fprintf(out, "note: left out, since times are missing or impossible: %lld op%s\n", (long long)report->untimed,
                plural(report->untimed));
    if (report->uncalled && !report->on_cpu)
        fprintf(out,
                "note: of %lld op%s the report does not have the call: they count in no range, and idle time before "
                "them as wait\n",
                (long long)report->uncalled, plural(report->uncalled));
    print_range_notes(report, out);
}

/* ---- devices ---- */

static void print_stream(const trib_nsys_report *report, const trib_nsys_lane *lane, int64_t wall, FILE *out)
{
    const trib_nsys_stream *stream = &report->streams[lane->stream];
    long long number = stream->device < 0 ? stream->number & 0xffffff : stream->number;
    char name[STREAM_WIDTH + 1] = "";
    if (stream->name != TRIB_NSYS_NONE)
        trib_nsys_clean(trib_nsys_name_text(&report->names, stream->name), name, sizeof name);
    fprintf(out, "  %7lld  %-*s %9lld  %6.1f %% %6.1f %% %6.1f %% %6.1f %%\n", number, STREAM_WIDTH, name,
            (long long)lane->ops, percent(lane->busy, wall), percent(lane->launch, wall), percent(lane->wait, wall),
            percent(lane->tail, wall));
}

static void print_device(const trib_nsys_report *report, const trib_nsys_device *device, FILE *out)
{
    const trib_nsys_sums *s = &device->sums;
    const char *name = trib_nsys_gpu_name(report, device->device);
    char gpu[64];
    enum { MOST_STREAMS = 24 };
    fprintf(out, "\nprocess %lld, ", (long long)(device->process >> 24 & 0xffffff));
    if (device->device < 0)
        fputs("CPU", out);
    else
        fprintf(out, "GPU %lld%s%s", (long long)device->device, name ? " " : "",
                trib_nsys_clean(name ? name : "", gpu, sizeof gpu));
    fprintf(out, ": %lld op%s on %lld stream%s in %.3f ms\n", (long long)s->ops, plural(s->ops), (long long)s->streams,
            plural(s->streams), ms(s->wall));
    fprintf(out, "  a stream at work %.1f %% of the time, two or more %.1f %%; concurrency %.2f of %lld\n",
            percent(s->any, s->wall), percent(s->overlap, s->wall), ratio(s->busy, s->any), (long long)s->streams);
    fprintf(out, "  %7s  %-*s %9s  %8s %8s %8s %8s\n", device->device < 0 ? "thread" : "stream", STREAM_WIDTH, "name",
            "ops", "busy", "launch", "wait", "tail");
    for (int64_t i = 0; i < s->streams && i < MOST_STREAMS; ++i) print_stream(report, &device->lanes[i], s->wall, out);
    if (s->streams > MOST_STREAMS) fprintf(out, "  and %lld streams more\n", (long long)s->streams - MOST_STREAMS);
}

/* ---- ranges ---- */

static void print_window(const trib_nsys_report *report, const trib_nsys_window *window, FILE *out)
{
    const trib_nsys_sums *s = &window->sums;
    int64_t idle = s->launch + s->wait + s->tail;
    char name[NAME_WIDTH + 1];
    trib_nsys_clean(trib_nsys_name_text(&report->names, window->name), name, sizeof name);
    fprintf(out, "%-*s %7lld %8lld %9.3f %5.1f %7.1f %5.2f of %-4lld %6.1f %5.1f %5.1f\n", NAME_WIDTH, name,
            (long long)window->count, (long long)s->ops, ms(window->median), percent(s->any, s->wall),
            percent(s->overlap, s->any), ratio(s->busy, s->any), (long long)s->streams, percent(s->launch, idle),
            percent(s->wait, idle), percent(s->tail, idle));
}

static void print_windows(const trib_nsys_report *report, const trib_nsys_overlaps *overlaps, FILE *out)
{
    fprintf(out, "\nNVTX ranges with most work\n%-*s %7s %8s %9s %5s %7s %11s  %6s %5s %5s\n", NAME_WIDTH, "", "count",
            "ops", "median ms", "busy", "overlap", "concurrency", "launch", "wait", "tail");
    for (size_t i = 0; i < overlaps->window_count; ++i) print_window(report, &overlaps->windows[i], out);
    fputs("A range lasts from the first to the last op whose call was made in it. Busy: % of its time in which a\n"
          "stream has work; overlap: % of that in which two or more have. Launch, wait, tail: % of the idle time of\n"
          "its streams: until the call for the next op returns, from then until that starts, after the last op.\n",
          out);
}

void trib_nsys_print(const trib_nsys_report *report, const trib_nsys_overlaps *overlaps,
                     const trib_nsys_networks *networks, FILE *out)
{
    print_counts(report, out);
    print_notes(report, out);
    for (size_t i = 0; i < overlaps->device_count; ++i)
        if (overlaps->devices[i].sums.ops > 0) print_device(report, &overlaps->devices[i], out);
    trib_nsys_print_networks(report, networks, out);
    if (overlaps->window_count > 0)
        print_windows(report, overlaps, out);
    else if (!report->on_cpu && !report->loose_ranges && !report->deep_threads)
        fputs("\nno NVTX ranges with work: record with --trace=cuda,nvtx\n", out);
}
