/* SPDX-License-Identifier: Apache-2.0
 * Sentences: what the numbers of a module, or of a network, mean, and what to do. */
#ifndef TRIBUTARY_HOST_PROFILE_VERDICT_H
#define TRIBUTARY_HOST_PROFILE_VERDICT_H

#include "profile/profile.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_VERDICT_SIZE = 512 };

/* Compared with serial, by an interval of the gain. */
typedef enum trib_comparison { TRIB_SLOWER = -1, TRIB_EQUAL = 0, TRIB_FASTER = 1 } trib_comparison;

typedef struct trib_verdict_gain {
    double gain, low, high; /* low and high NaN: too few runs for an interval */
} trib_verdict_gain;

/* Faster or slower only if all of the interval is, by 1 %; without an interval, if the gain is, by 5 %. */
trib_comparison trib_compare(const trib_verdict_gain *gain);

/* Which of several schedules is the fastest, by their gains. */
typedef struct trib_fastest {
    int other;  /* but serial: of those that are clearly faster than serial, if there are any, the one with
                   the largest gain; 0: there is none */
    int best;   /* to use: `other` if it is clearly faster than serial, else serial */
    bool known; /* false: serial is alone, or too few runs for intervals */
    trib_comparison compared; /* `other` with serial */
} trib_fastest;
/* The first is serial's, which does not count. */
trib_fastest trib_find_fastest(const trib_verdict_gain *gains, int count);
/* What that says of the network in one line; "" if serial is alone. */
void trib_verdict_headline(const trib_fastest *fastest, double gain, char text[TRIB_VERDICT_SIZE]);

typedef struct trib_verdict_input {
    const char *schedule;
    trib_verdict_gain gain;
    const trib_profile_median *median; /* over the runs */
    const trib_profile_window *trace;  /* of the run that stands for them */
    const trib_profile_part *part;     /* its names; NULL: the network */
    int cores;                         /* that this lane can use; 0: a GPU */
    int threads;                       /* of an op, at most; 0: a GPU */
    bool recorded;                     /* launched as a recorded graph */
} trib_verdict_input;

/* A sentence or two about a module: whether the schedule is faster than serial there, the reason, and what to do. */
void trib_verdict_of(const trib_verdict_input *input, char text[TRIB_VERDICT_SIZE]);

/* The reason alone: a clause that begins with a small letter and names what holds the schedule back the most; "" if
 * nothing stands out. */
void trib_verdict_reason(const trib_verdict_input *input, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
