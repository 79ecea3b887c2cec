/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WRONG_USAGE = 2 };

static const char help[] =
    "usage: kernel_bench [options]\n"
    "\n"
    "Times every CUDA kernel on the layers it gets in plans of GoogLeNet, for inference and for training (one kernel,\n"
    "which those do not use, on Inception v3's), in every storage type, against the limits of this card, which are\n"
    "measured first, in the same run.\n"
    "\n"
    "  --batch N,...    batch sizes; default 1,32,256\n"
    "  --kernel NAME    only this kernel of the table\n"
    "  --seconds S      time each row for S seconds, and at least 5 times; default 0.05\n"
    "  --json FILE      also write the results to FILE, replacing its content\n"
    "  --help           this text\n"
    "\n"
    "examples:\n"
    "  kernel_bench                                     everything: some minutes\n"
    "  kernel_bench --kernel conv1x1 --batch 256        one kernel at one batch size\n"
    "  kernel_bench --seconds 0.5 --json kernels.json   steadier numbers, kept\n"
    "  CUDA_VISIBLE_DEVICES=1 kernel_bench              on the second card\n"
    "\n"
    "Exit codes: 0 done, 1 failed (or no GPU), 2 wrong usage.\n";

static int wrong(FILE *error, const char *what, const char *value)
{
    fprintf(error, "kernel_bench: %s%s; kernel_bench --help lists the options\n", what, value);
    return WRONG_USAGE;
}

static bool parse_batches(const char *text, bench_options *o)
{
    o->batch_count = 0;
    for (;;) {
        char *end;
        errno = 0;
        const long batch = strtol(text, &end, 10);
        if (end == text || *text < '0' || *text > '9' || errno || batch < 1 || batch > BENCH_LARGEST_BATCH ||
            o->batch_count == BENCH_MOST_BATCHES)
            return false;
        o->batches[o->batch_count++] = (int)batch;
        if (!*end) return true;
        if (*end != ',') return false;
        text = end + 1;
    }
}

static bool parse_seconds(const char *text, bench_options *o)
{
    char *end;
    o->seconds = strtod(text, &end);
    return end != text && !*end && isfinite(o->seconds) && o->seconds > 0 && o->seconds <= 3600;
}

static bool parse_kernel(const char *name, FILE *error, bench_options *o)
{
    for (int i = 0; (o->kernel = trib_kernel_at(i)) != NULL; ++i)
        if (!strcmp(o->kernel->name, name)) return true;
    fprintf(error, "kernel_bench: kernels are:");
    for (int i = 0; trib_kernel_at(i); ++i) fprintf(error, " %s", trib_kernel_at(i)->name);
    fprintf(error, "\n");
    return false;
}

int bench_parse(int argc, char **argv, FILE *out, FILE *error, bench_options *options)
{
    static const struct option table[] = {
        { "batch", required_argument, NULL, 'b' },   { "kernel", required_argument, NULL, 'k' },
        { "seconds", required_argument, NULL, 's' }, { "json", required_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 }
    };
    *options = (bench_options) { .batches = { 1, 32, 256 }, .batch_count = 3, .seconds = 0.05 };
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, ":", table, NULL)) != -1;) {
        switch (option) {
        case 'b':
            if (!parse_batches(optarg, options))
                return wrong(error, "--batch takes numbers from 1 to 4096, not ", optarg);
            break;
        case 'k':
            if (!parse_kernel(optarg, error, options)) return wrong(error, "there is no kernel ", optarg);
            break;
        case 's':
            if (!parse_seconds(optarg, options)) return wrong(error, "--seconds takes 0 to 3600, not ", optarg);
            break;
        case 'j': options->json = optarg; break;
        case 'h': fputs(help, out); return 0;
        case ':': return wrong(error, "a value is missing after ", argv[optind - 1]);
        default: return wrong(error, "not an option: ", argv[optind - 1]);
        }
    }
    if (optind < argc) return wrong(error, "not an option: ", argv[optind]);
    return BENCH_GO_ON;
}
