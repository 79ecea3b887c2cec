/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/trace_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profile/trace_private.h"

/* ---- events ---- */

void trib_event_time(trib_text *text, const char *key, int64_t ns)
{
    const int64_t size = ns < 0 ? -ns : ns;
    trib_text_format(text, "\"%s\":%s%" PRId64 ".%03d", key, ns < 0 ? "-" : "", size / 1000, (int)(size % 1000));
}

void trib_event_begin(trace_writer *w, char phase, int track, int64_t at)
{
    trib_text *t = &w->file->text;
    trib_text_format(t, "%s{\"ph\":\"%c\",\"pid\":%d,\"tid\":%d,", w->events++ ? ",\n" : "\n", phase, w->process,
                     track);
    trib_event_time(t, "ts", at - w->origin);
}

void trib_event_string(trace_writer *w, const char *key, const char *value)
{
    trib_text_format(&w->file->text, ",\"%s\":", key);
    trib_text_json_any(&w->file->text, value);
}

void trib_event_end(trace_writer *w)
{
    trib_text_add(&w->file->text, "}");
    trib_writer_drain(w->file);
}

static void put_name(trace_writer *w, const char *what, int track, const char *name)
{
    trib_event_begin(w, 'M', track, w->origin);
    trib_event_string(w, "name", what);
    trib_text_add(&w->file->text, ",\"args\":{\"name\":");
    trib_text_json_any(&w->file->text, name);
    trib_text_add(&w->file->text, "}");
    trib_event_end(w);
}

/* ---- names of tracks ---- */

/* The branch of the modules that a stream runs: its short name if it is the same in all of them; "" if branches differ,
 * NULL if it runs none. */
static const char *branch_of_stream(const trib_profile_graph *g, int stream)
{
    const char *name = NULL;
    for (int i = 0; i < g->op_count; ++i) {
        const trib_profile_op *op = &g->ops[i];
        if (op->stream != stream || op->branch < 0 || op->window >= g->part_count) continue;
        const trib_profile_part *part = &g->parts[op->window];
        const char *branch = op->branch < part->branch_count ? part->branches[op->branch] : "";
        if (name && strcmp(name, branch) != 0) return "";
        name = branch;
    }
    return name;
}

static void name_stream(trace_writer *w, const trib_profile_graph *g, int stream)
{
    char text[160];
    const char *branch = branch_of_stream(g, stream);
    snprintf(text, sizeof text, "stream %d%s%s", stream, branch && *branch ? ": " : "", branch ? branch : "");
    put_name(w, "thread_name", TRACE_STREAMS + stream, text);
}

static void name_tracks(trace_writer *w, const trib_trace_part *part, int lane)
{
    char text[160];
    const bool named = part->name && *part->name;
    snprintf(text, sizeof text, "%s%slane %d", named ? part->name : "", named ? ", " : "", lane);
    put_name(w, "process_name", 0, text);
    if (part->graph->part_count) put_name(w, "thread_name", TRACE_MODULES, "modules");
    put_name(w, "thread_name", TRACE_PATH, "critical path");
    for (int i = 0; i < part->graph->stream_count; ++i) name_stream(w, part->graph, i);
}

/* ---- lanes and parts ---- */

static int lane_of(const trib_trace_part *part, int run) { return part->runs[run].profile->lane; }

static bool is_first_of_lane(const trib_trace_part *part, int run)
{
    for (int i = 0; i < run; ++i)
        if (lane_of(part, i) == lane_of(part, run)) return false;
    return true;
}

static trib_status write_lane(trace_writer *w, const trib_trace_part *part, int lane)
{
    trib_status s = trib_success();
    name_tracks(w, part, lane);
    for (int i = 0; i < part->run_count && !trib_failed(&s); ++i) {
        if (lane_of(part, i) != lane) continue;
        trib_trace_write_slices(w, part, &part->runs[i]);
        s = trib_trace_write_flows(w, part, part->runs[i].profile);
    }
    return trib_failed(&s) ? s : trib_trace_write_counters(w, part, lane);
}

static int64_t origin_of(const trib_trace_part *part)
{
    int64_t origin = INT64_MAX;
    for (int i = 0; i < part->run_count; ++i)
        if (part->runs[i].profile->total.from < origin) origin = part->runs[i].profile->total.from;
    return origin;
}

static trib_status write_part(trace_writer *w, const trib_trace_part *part)
{
    trib_status s = trib_success();
    w->origin = origin_of(part);
    for (int i = 0; i < part->run_count && !trib_failed(&s) && trib_writer_drain(w->file); ++i) {
        if (!is_first_of_lane(part, i)) continue;
        s = write_lane(w, part, lane_of(part, i));
        ++w->process;
    }
    return s;
}

static int first_process(const trib_trace_part *parts, int count)
{
    int first = TRACE_FIRST_PROCESS;
    for (int i = 0; i < count; ++i)
        if (parts[i].graph->stream_count + TRACE_STREAMS > first) first = parts[i].graph->stream_count + TRACE_STREAMS;
    return first;
}

trib_status trib_trace_write(const char *path, const trib_trace_part *parts, int part_count, trib_trace_counts *counts)
{
    trib_trace_counts unused;
    trib_writer file = trib_writer_open(path);
    trace_writer w = { .file = &file, .counts = counts ? counts : &unused };
    trib_status s = trib_success();
    *w.counts = (trib_trace_counts) { 0 };
    w.process = first_process(parts, part_count);
    trib_text_add(&file.text, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    for (int i = 0; i < part_count && !trib_failed(&s); ++i) s = write_part(&w, &parts[i]);
    trib_text_add(&file.text, "\n]}\n");
    return trib_writer_close(&file, s);
}
