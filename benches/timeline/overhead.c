/* SPDX-License-Identifier: Apache-2.0
 * What a timeline costs: the same batches through two sessions of one network, one with a timeline and one without.
 *
 *     timeline_overhead MODEL BATCH [SCHEDULE [LAUNCH [SESSIONS [PAIRS]]]]
 *     timeline_overhead bvlc 1 branches graph 6 20
 *
 * MODEL is a file, or the name of a network, which then has random weights. Both sessions are created SESSIONS times,
 * in turn first and second, since where their memory lies changes their speed, too; each time, PAIRS pairs are run, in
 * the order on off, off on. Of the ratios on / off of all pairs it prints the median, and the two between which it lies
 * with 95 % probability whatever their distribution is (from the binomial distribution of how
 * many are below it): of the time that passes, and of the processor's time, which other work on the machine disturbs
 * less. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tributary.h"

enum { RUNS_KEPT = 64 };

typedef struct bench {
    trib_device *device;
    trib_model *model;
    trib_session_options options;
    int sessions, pairs, repeats; /* repeats: batches of one measurement */
    float *input;
    void **outputs;
    double *passed, *processor; /* ratios of all pairs */
} bench;

/* Seconds. */
typedef struct times {
    double passed, processor;
} times;

static void check(trib_status status)
{
    if (!trib_failed(&status)) return;
    fprintf(stderr, "timeline_overhead: %s\n", status.message);
    exit(1);
}

static void *memory(size_t count, size_t size)
{
    void *block = calloc(count, size);
    if (block) return block;
    fprintf(stderr, "timeline_overhead: no memory\n");
    exit(1);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- measuring ---- */

static times time_of(bench *b, trib_session *session, trib_timeline *timeline, int repeats)
{
    const times start = { seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID) };
    for (int i = 0; i < repeats; ++i) {
        check(trib_session_run(session, b->input, b->options.max_batch, b->outputs));
        if (timeline) trib_timeline_clear(timeline);
    }
    return (times) { seconds(CLOCK_MONOTONIC) - start.passed, seconds(CLOCK_PROCESS_CPUTIME_ID) - start.processor };
}

static trib_session *create(bench *b, trib_timeline *timeline)
{
    trib_session *session = NULL;
    trib_session_options o = b->options;
    o.timeline = timeline;
    check(trib_session_create(b->device, trib_model_graph(b->model), trib_model_parameters(b->model), &o, &session));
    return session;
}

/* Repeats so that a measurement takes 50 ms and more; also warms both up. */
static void settle(bench *b, trib_session *off, trib_session *on, trib_timeline *timeline)
{
    time_of(b, off, NULL, 2);
    time_of(b, on, timeline, 2);
    double once = time_of(b, off, NULL, 3).processor / 3;
    b->repeats = once > 0.05 ? 1 : 1 + (int)(0.05 / once);
}

static void measure(bench *b, trib_timeline *timeline, int round)
{
    trib_session *first = create(b, round % 2 ? timeline : NULL), *second = create(b, round % 2 ? NULL : timeline);
    trib_session *on = round % 2 ? first : second, *off = round % 2 ? second : first;
    settle(b, off, on, timeline);
    for (int i = 0; i < b->pairs; ++i) {
        times with, without = { 0, 0 };
        if (i % 2) without = time_of(b, off, NULL, b->repeats);
        with = time_of(b, on, timeline, b->repeats);
        if (i % 2 == 0) without = time_of(b, off, NULL, b->repeats);
        b->passed[round * b->pairs + i] = with.passed / without.passed;
        b->processor[round * b->pairs + i] = with.processor / without.processor;
    }
    trib_session_destroy(on);
    trib_session_destroy(off);
}

/* ---- the result ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest k for which fewer than k of n lie below the median with at most 2.5 % probability; 0: n is too small. */
static int rank_of_interval(int n)
{
    double p = 1, below = 0;
    for (int i = 0; i < n; ++i) p /= 2; /* of none */
    for (int k = 0; k < n / 2; ++k) {
        below += p;
        if (below > 0.025) return k;
        p = p * (n - k) / (k + 1);
    }
    return n / 2;
}

static void print_ratio(const char *of, double *ratios, int n)
{
    qsort(ratios, (size_t)n, sizeof *ratios, compare);
    int k = rank_of_interval(n);
    double median = n % 2 ? ratios[n / 2] : (ratios[n / 2 - 1] + ratios[n / 2]) / 2;
    printf("    %-16s on / off %.4f", of, median);
    if (k > 0) printf("   95 %%: %.4f .. %.4f", ratios[k - 1], ratios[n - k]);
    printf("\n");
}

static void report(const bench *b)
{
    int n = b->sessions * b->pairs;
    printf("batch %d, %s, %s: %d pairs of %d batches\n", b->options.max_batch,
           trib_schedule_name(b->options.plan.schedule), b->options.launch == TRIB_GRAPH ? "graph" : "eager", n,
           b->repeats);
    print_ratio("time passed", b->passed, n);
    print_ratio("processor's time", b->processor, n);
}

/* ---- what to measure ---- */

static void load(bench *b, const char *name)
{
    const trib_network *network = trib_network_find(name);
    trib_network_spec spec = { .network = network };
    check(network ? trib_model_random(&spec, 1, &b->model) : trib_model_load(name, NULL, &b->model));
    check(trib_device_open("cpu", NULL, &b->device));
}

static void provide(bench *b)
{
    trib_session *session = create(b, NULL);
    const trib_plan *plan = trib_session_plan(session);
    const int64_t *d = plan->inputs[0].shape.dim;
    b->input = memory((size_t)(b->options.max_batch * d[1] * d[2] * d[3]), sizeof *b->input);
    b->outputs = memory((size_t)plan->output_count, sizeof *b->outputs);
    for (int i = 0; i < plan->output_count; ++i)
        b->outputs[i] = memory((size_t)(b->options.max_batch * plan->outputs[i].shape.dim[1]), sizeof(float));
    trib_session_destroy(session);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fprintf(stderr, "usage: timeline_overhead MODEL BATCH [SCHEDULE [LAUNCH [SESSIONS [PAIRS]]]]\n"), 2;
    bench b = { .options = trib_session_default_options() };
    int schedule = trib_schedule_find(argc > 3 ? argv[3] : "serial");
    b.options.max_batch = atoi(argv[2]);
    b.options.plan.schedule = (trib_schedule)schedule;
    b.options.launch = argc > 4 && !strcmp(argv[4], "graph") ? TRIB_GRAPH : TRIB_EAGER;
    b.sessions = argc > 5 ? atoi(argv[5]) : 6;
    b.pairs = argc > 6 ? atoi(argv[6]) : 20;
    if (schedule < 0 || b.options.max_batch < 1 || b.sessions < 1 || b.pairs < 1)
        return fprintf(stderr, "timeline_overhead: there is no such schedule, batch or number of pairs\n"), 2;
    load(&b, argv[1]);
    provide(&b);
    trib_timeline *timeline = NULL;
    check(trib_timeline_create(RUNS_KEPT, &timeline));
    b.passed = memory((size_t)(b.sessions * b.pairs), sizeof *b.passed);
    b.processor = memory((size_t)(b.sessions * b.pairs), sizeof *b.processor);
    for (int round = 0; round < b.sessions; ++round) measure(&b, timeline, round);
    report(&b);
    return 0; /* the system takes all memory back */
}
