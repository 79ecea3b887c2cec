/* SPDX-License-Identifier: Apache-2.0
 * What a profile says in words. */
#ifndef TRIBUTARY_CLI_PROFILE_TEXTS_H
#define TRIBUTARY_CLI_PROFILE_TEXTS_H

#include "profile/verdict.h"
#include "profile_measure.h"

enum { CLI_MOST_NOTES = 12 };

typedef struct cli_profile_texts {
    char (*windows)[TRIB_VERDICT_SIZE];   /* schedule_count x window_count; "" for serial and for the trunk */
    char (*schedules)[TRIB_VERDICT_SIZE]; /* one per schedule; "" for serial */
    int window_count;
    trib_fastest fastest;                                         /* that all of these agree on */
    char headline[TRIB_VERDICT_SIZE], verdict[TRIB_VERDICT_SIZE]; /* of the network */
    char advice[TRIB_VERDICT_SIZE + CLI_SCHEDULE_TEXT];
    char notes[CLI_MOST_NOTES][TRIB_VERDICT_SIZE]; /* how it was measured, what was left out */
    int note_count;
} cli_profile_texts;

/* Release them also after a failure. */
trib_status cli_profile_texts_make(const trib_device *device, const cli_profile_results *results,
                                   cli_profile_texts *out);
void cli_profile_texts_release(cli_profile_texts *texts);

const char *cli_window_sentence(const cli_profile_texts *texts, int schedule, int window);
/* What to run: the fastest schedule if it is clearly faster than serial, or what to measure next, a mixture. "" if
 * there is no verdict. */
void cli_profile_advise(const cli_profile_results *results, const trib_fastest *fastest, char *text, size_t size);

#endif
