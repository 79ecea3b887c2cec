/* SPDX-License-Identifier: Apache-2.0
 * kernel_bench on the simulated card, which computes on the CPU: with small sizes in place of those that fill a GPU. */
#include "measure.h"

int main(int argc, char **argv)
{
    static const bench_sizes small = { 4096, 1 << 20, 65536, 32, 1 << 16, 3 };
    bench_options options;
    const int code = bench_parse(argc, argv, stdout, stderr, &options);
    if (code != BENCH_GO_ON) return code;
    const trib_status status = bench_run(&options, &small, stdout);
    if (trib_failed(&status)) fprintf(stderr, "kernel_bench: %s\n", status.message);
    return trib_failed(&status) || fflush(stdout) || ferror(stdout);
}
