/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <inttypes.h>

/* ---- for reading ---- */

static void print_rate(FILE *out, const char *type, double rate)
{
    if (rate > 0)
        fprintf(out, "  product %-6s%10.1f TFLOP/s\n", type, rate / 1e12);
    else
        fprintf(out, "  product %-6s         - (cuBLASLt has none here)\n", type);
}

void bench_print_card(FILE *out, const bench_card *card, const bench_limits *limits)
{
    fprintf(out, "%s, %s, %d multiprocessors, %.0f GB, L2 %.0f MB, CUDA %d.%d, driver %d.%d\n\n", card->name,
            card->instructions, card->multiprocessors, (double)card->memory_bytes / 1e9, (double)card->l2_bytes / 1e6,
            card->runtime_version / 1000, card->runtime_version % 1000 / 10, card->driver_version / 1000,
            card->driver_version % 1000 / 10);
    fprintf(out, "Limits of this card, measured now:\n");
    fprintf(out, "  copy          %10.1f GB/s, read and written\n", limits->copy / 1e9);
    print_rate(out, "fp32", limits->fp32);
    print_rate(out, "tf32", limits->tf32);
    print_rate(out, "fp16", limits->fp16);
    print_rate(out, "bf16", limits->bf16);
    fprintf(out, "  launch        %10.2f us, in a sequence of empty kernels\n", limits->launch * 1e6);
    fprintf(out, "  and wait      %10.2f us, one empty kernel until the host sees its end\n",
            limits->launch_and_wait * 1e6);
    fprintf(out, "  hop           %10.2f us, empty kernel, event record and wait, from stream to stream\n\n",
            limits->hop * 1e6);
}

void bench_print_header(FILE *out)
{
    fprintf(out, "%-24s %-4s %5s %-42s %9s %9s %10s %8s %8s %6s\n", "kernel", "type", "batch", "layer", "MB", "GFLOP",
            "us", "GB/s", "TFLOP/s", "floor");
}

void bench_print_row(FILE *out, const bench_row *r)
{
    fprintf(out, "%-24s %-4s %5d %-42s %9.2f %9.3f ", r->kernel, trib_dtype_name(r->dtype), r->batch, r->layer,
            (double)r->bytes / 1e6, r->flops / 1e9);
    if (r->seconds > 0)
        fprintf(out, "%10.2f %8.1f %8.2f %5.1f%%\n", r->seconds * 1e6, (double)r->bytes / r->seconds / 1e9,
                r->flops / r->seconds / 1e12, 100 * r->floor / r->seconds);
    else
        fprintf(out, "not run: %s\n", r->missing);
}

void bench_print_notes(FILE *out)
{
    fprintf(out,
            "\nMB: inputs, parameters and outputs once. us: median time per launch in a sequence, each on memory\nthat "
            "is not in the L2 cache. floor: max(MB / copy rate, GFLOP / product rate) as a share of that time; "
            "what is not a\n"
            "matrix product is held against fp32. Below some 2 us a launch is bound by launching, not by the "
            "floor.\n");
}

/* ---- for programs ---- */

static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; ++text) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ')
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void write_row(FILE *out, const bench_row *r)
{
    fprintf(out, "    {\"kernel\": \"%s\", \"dtype\": \"%s\", \"batch\": %d, \"layer\": ", r->kernel,
            trib_dtype_name(r->dtype), r->batch);
    write_text(out, r->layer);
    fprintf(out, ", \"problem\": ");
    write_text(out, r->text);
    fprintf(out, ", \"bytes\": %" PRId64 ", \"flops\": %.17g, \"floor_seconds\": %.9g", r->bytes, r->flops, r->floor);
    if (r->seconds > 0) {
        fprintf(out,
                ", \"median_seconds\": %.9g, \"least_seconds\": %.9g, \"rounds\": %d, \"launches\": %d, "
                "\"of_floor\": %.6g}",
                r->seconds, r->least, r->rounds, r->launches, r->floor / r->seconds);
    } else {
        fprintf(out, ", \"not_run\": ");
        write_text(out, r->missing);
        fputc('}', out);
    }
}

void bench_write_json(FILE *out, const bench_card *card, const bench_limits *limits, const bench_row *rows, int count)
{
    fprintf(out, "{\n  \"device\": {\"name\": ");
    write_text(out, card->name);
    fprintf(out,
            ", \"instructions\": \"%s\", \"multiprocessors\": %d, \"memory_bytes\": %" PRId64 ", \"l2_bytes\": %" PRId64
            ", \"cuda_runtime\": %d, \"cuda_driver\": %d},\n",
            card->instructions, card->multiprocessors, card->memory_bytes, card->l2_bytes, card->runtime_version,
            card->driver_version);
    fprintf(out,
            "  \"limits\": {\"copy_bytes_per_second\": %.9g, \"fp32_flops\": %.9g, \"tf32_flops\": %.9g, "
            "\"fp16_flops\": %.9g, \"bf16_flops\": %.9g, \"launch_seconds\": %.9g, \"launch_and_wait_seconds\": %.9g, "
            "\"hop_seconds\": %.9g},\n  \"l2_cache\": \"cold\",\n  \"rows\": [\n",
            limits->copy, limits->fp32, limits->tf32, limits->fp16, limits->bf16, limits->launch,
            limits->launch_and_wait, limits->hop);
    for (int i = 0; i < count; ++i) {
        write_row(out, &rows[i]);
        fputs(i + 1 < count ? ",\n" : "\n", out);
    }
    fprintf(out, "  ]\n}\n");
}
