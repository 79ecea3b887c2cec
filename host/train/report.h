/* SPDX-License-Identifier: Apache-2.0
 * What a training run says while it runs: progress, time left, what limits it, heads that do not learn. Functions of
 * their arguments alone; nothing is printed, and no clock is read. */
#ifndef TRIBUTARY_TRAIN_REPORT_H
#define TRIBUTARY_TRAIN_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_DURATION_TEXT = 32, TRIB_REPORT_LINE = 256 };

/* "8 s", "12 min 5 s", "2 h 10 min", "3 d 4 h": two units at most, rounded; "?" if it is negative, not finite, or over
 * 999 days. Returns `text`, which has TRIB_DURATION_TEXT bytes. */
const char *trib_duration_text(double seconds, char *text);

/* ---- speed ---- */

/* Speed over the last steps: a change (another program, a warm cache) shows within TRIB_PACE_STEPS. Zero-initialise. */
enum { TRIB_PACE_STEPS = 64 };
typedef struct trib_pace {
    double seconds[TRIB_PACE_STEPS + 1], images[TRIB_PACE_STEPS + 1]; /* a ring of the last moments */
    int64_t moments;
} trib_pace;

/* After each step, and once before the first: `seconds` of any steady clock, `images` since any fixed moment. */
void trib_pace_add(trib_pace *pace, double seconds, int64_t images);
/* NaN before the second moment. */
double trib_pace_images_per_second(const trib_pace *pace);
double trib_pace_seconds_for(const trib_pace *pace, int64_t steps);

/* What a faster run would need first. */
typedef enum trib_limit {
    TRIB_LIMIT_UNKNOWN = 0,
    TRIB_LIMIT_READING,
    TRIB_LIMIT_DECODING,
    TRIB_LIMIT_COMPUTING
} trib_limit;

/* Over some steps that took `seconds`: how long the trainer waited for batches, and how long all workers together read
 * and decoded. Waiting under a tenth of the time is computing's. */
trib_limit trib_limit_of(double seconds, double waited, double reading, double decoding);
const char *trib_limit_name(trib_limit limit); /* "decoding"; "" if unknown */

/* ---- progress ---- */

/* NaN: unknown, and left out. Losses of auxiliary heads in the order of the network. */
typedef struct trib_progress_report {
    int64_t epoch, epochs; /* counted from 1; epochs 0: the end is given in steps */
    int64_t step, steps;   /* done, of how many: in this epoch, or of all if epochs is 0 */
    double loss;           /* of the main head */
    const double *aux;
    int aux_count;
    double top1; /* of training images, percent */
    double images_per_second, seconds_left;
    trib_limit limit;
} trib_progress_report;

/* "epoch 3/90  step 120/1250  loss 1.234 (aux 2.100 2.050)  top-1 45.2 %  812 images/s  limited by decoding  2 h 10 min
 * left" in at most `columns` (of a terminal; 0: any), leaving out first what matters least. Returns `text`, which has
 * TRIB_REPORT_LINE bytes. */
const char *trib_progress_line(const trib_progress_report *report, int columns, char *text);

typedef struct trib_epoch_report {
    int64_t epoch, epochs; /* counted from 1; epochs 0: unknown */
    double train_loss, eval_loss;
    double top1, averaged_top1; /* of validation images, percent: the weights, and their average */
    double lr, seconds;
    bool best; /* so far */
} trib_epoch_report;

/* "epoch 3/90: loss 1.234, validation 1.310, top-1 45.2 % (averaged 47.0 %), the best so far; lr 0.01; 12 min 5 s" */
const char *trib_epoch_line(const trib_epoch_report *report, char *text);

/* ---- heads that do not learn ---- */

enum { TRIB_PLATEAU_STEPS = 100, TRIB_PLATEAU_HEADS = 4 };

/* Warns once of each head whose loss, as means of both halves of TRIB_PLATEAU_STEPS steps, is within 1 % of
 * ln(classes), where a head is that knows nothing. Deep heads of GoogLeNet without batch norm can stay there for ever
 * while the first one learns, and the sum of the losses hides it. */
typedef struct trib_plateau {
    double uniform; /* ln(classes) */
    int64_t after;  /* steps before the first warning: every run begins there */
    int heads;
    bool warned[TRIB_PLATEAU_HEADS];
    double losses[TRIB_PLATEAU_HEADS][TRIB_PLATEAU_STEPS]; /* a ring */
    int64_t seen;
} trib_plateau;

/* At most TRIB_PLATEAU_HEADS heads are watched. A network of one class has no plateau. */
trib_plateau trib_plateau_begin(int classes, int heads, int64_t after);
/* After step `step`, counted from 1 over the whole run, with the loss of each head without its weight. Returns a bit
 * for each head to warn of. */
unsigned trib_plateau_add(trib_plateau *plateau, int64_t step, const double *losses);
/* "loss2 sits at 6.91, ln(1000), after 1200 steps: ..." for a head's name. Returns `text` (TRIB_REPORT_LINE bytes). */
const char *trib_plateau_warning(const trib_plateau *plateau, int64_t step, const char *head, char *text);

#ifdef __cplusplus
}
#endif
#endif
