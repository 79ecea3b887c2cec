/* SPDX-License-Identifier: Apache-2.0
 * tributary train --replay RUN STEP: the step again, with the options of the run's own command. */
#include "train_replay.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

bool cli_read_step(const char *text, int64_t *out)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    *out = value;
    return end != text && !*end && value > 0;
}

trib_status cli_print_replay(const trib_train_replay *r)
{
    cli_buffer text = { 0 };
    char from[64] = "from the beginning";
    if (r->from) snprintf(from, sizeof from, "from the checkpoint of step %" PRId64, r->from);
    cli_append_format(&text, "step %" PRId64 ", %s, learning rate %g\n", r->step, from, r->lr);
    for (int head = 0; head < r->heads; ++head)
        if (isnan(r->losses[head]))
            cli_append_format(&text, "  loss of %s: nan\n", r->names[head]);
        else
            cli_append_format(&text, "  loss of %s: %g\n", r->names[head], r->losses[head]);
    if (r->bad_name)
        cli_append_format(&text, "  afterwards not finite: %s of %.150s\n", r->bad_role, r->bad_name);
    else
        cli_append_format(&text, "  afterwards all parameters, gradients and momentum are finite\n");
    cli_append_format(&text, "images of the batch:\n");
    for (int i = 0; i < r->images; ++i) {
        cli_append(&text, "  ", 2);
        cli_append_safe(&text, r->files[i]);
        cli_append(&text, "\n", 1);
    }
    trib_status s = text.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for what the step did")
                                : cli_write_stdout(text.data, text.size);
    cli_buffer_release(&text);
    return s;
}
