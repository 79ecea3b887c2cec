/* SPDX-License-Identifier: Apache-2.0
 * kernel_bench: the speed of every CUDA kernel against the limits of its card. */
#include "measure.h"

int main(int argc, char **argv)
{
    bench_options options;
    const int code = bench_parse(argc, argv, stdout, stderr, &options);
    if (code != BENCH_GO_ON) return code;
    const trib_status status = bench_run(&options, NULL, stdout);
    if (trib_failed(&status)) fprintf(stderr, "kernel_bench: %s\n", status.message);
    return trib_failed(&status) || fflush(stdout) || ferror(stdout);
}
