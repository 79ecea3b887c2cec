/* SPDX-License-Identifier: Apache-2.0
 * What the two ways of a feed share. */
#ifndef TRIBUTARY_CLI_FEED_RUN_H
#define TRIBUTARY_CLI_FEED_RUN_H

#include "feed.h"

typedef struct cli_feed_state {
    cli_feed *feed;
    const cli_feed_handler *handler;
    int k; /* classes per image */
} cli_feed_state;

/* Hands an image to the handler and counts it. */
trib_status cli_feed_pass_on(const cli_feed_state *state, const cli_answer *answer, const char *note);
/* After some images. */
trib_status cli_feed_pause(const cli_feed_state *state);

trib_status cli_feed_run_batches(const cli_feed_state *state);
trib_status cli_feed_run_panel(const cli_feed_state *state);

#endif
