/* SPDX-License-Identifier: Apache-2.0
 * The table of learning rate schedules, their options, and the average of weights. */
#include "tributary/train_schedule.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Options that only some schedules take, and needs. */
enum {
    MIN_LR = 1,
    DECAY_EPOCHS = 2,
    DECAY_RATE = 4,
    CYCLE = 8, /* those of onecycle */
    NEEDS_EPOCHS = 16,
    NEEDS_LENGTH = 32
};

struct trib_lr_schedule {
    const char *name, *summary;
    unsigned takes;
    double decay_epochs, decay_rate; /* defaults */
    /* `step` counts from the end of the warm-up, at which `steps` are left. */
    trib_lr_step (*at)(const trib_lr_options *o, double step, double steps);
};

/* ---- formulas ---- */

static const double pi = 3.14159265358979323846;

static trib_lr_step constant(const trib_lr_options *o, double step, double steps)
{
    (void)step, (void)steps;
    return (trib_lr_step) { o->lr, o->momentum };
}

static trib_lr_step decay(const trib_lr_options *o, double step, double steps)
{
    (void)steps;
    double times = floor(step / (double)o->steps_per_epoch / o->decay_epochs);
    return (trib_lr_step) { o->lr * pow(o->decay_rate, times), o->momentum };
}

static trib_lr_step poly(const trib_lr_options *o, double step, double steps)
{
    double left = pow(1 - step / steps, o->decay_rate);
    return (trib_lr_step) { o->min_lr + (o->lr - o->min_lr) * left, o->momentum };
}

/* From `from` to `to`, level at both ends; `done` is 0 to 1. */
static double along_cosine(double from, double to, double done) { return to + (from - to) / 2 * (1 + cos(pi * done)); }

static trib_lr_step cosine(const trib_lr_options *o, double step, double steps)
{
    return (trib_lr_step) { along_cosine(o->lr, o->min_lr, step / steps), o->momentum };
}

/* PyTorch's two phases end at step pct_start * steps - 1, which need not be whole or positive, and at the last step. */
static trib_lr_step onecycle(const trib_lr_options *o, double step, double steps)
{
    const double peak = o->pct_start * steps - 1, last = steps - 1;
    const double first_rate = o->lr / o->div_factor, last_rate = first_rate / o->final_div_factor;
    trib_lr_step now;
    if (step <= peak) {
        const double done = peak > 0 ? step / peak : 1;
        now.rate = along_cosine(first_rate, o->lr, done);
        now.momentum = along_cosine(o->max_momentum, o->base_momentum, done);
    } else {
        const double done = (step - peak) / (last - peak);
        now.rate = along_cosine(o->lr, last_rate, done);
        now.momentum = along_cosine(o->base_momentum, o->max_momentum, done);
    }
    if (o->fixed_momentum) now.momentum = o->momentum;
    return now;
}

/* ---- the table ---- */

static const trib_lr_schedule schedules[] = {
    { .name = "constant", .summary = "the same rate at every step", .at = constant },
    { .name = "paper",
      .summary = "GoogLeNet's: times 0.96 every 8 epochs (decay rate, decay epochs)",
      .takes = DECAY_EPOCHS | DECAY_RATE | NEEDS_EPOCHS,
      .decay_epochs = 8,
      .decay_rate = 0.96,
      .at = decay },
    { .name = "step",
      .summary = "times 0.1 every 90 epochs (decay rate, decay epochs)",
      .takes = DECAY_EPOCHS | DECAY_RATE | NEEDS_EPOCHS,
      .decay_epochs = 90,
      .decay_rate = 0.1,
      .at = decay },
    { .name = "poly",
      .summary =
          "(1 - step / steps)^0.5 as in Caffe's quick_solver (decay rate: the power), towards the minimum rate 0",
      .takes = MIN_LR | DECAY_RATE | NEEDS_LENGTH,
      .decay_rate = 0.5,
      .at = poly },
    { .name = "cosine",
      .summary = "half a cosine, towards the minimum rate 0",
      .takes = MIN_LR | NEEDS_LENGTH,
      .at = cosine },
    { .name = "onecycle",
      .summary = "up along a cosine for 0.3 of the run, then down to nearly 0, the momentum the other way",
      .takes = CYCLE | NEEDS_LENGTH,
      .at = onecycle },
};

const trib_lr_schedule *trib_lr_schedule_at(int index)
{
    return index >= 0 && (size_t)index < sizeof schedules / sizeof *schedules ? &schedules[index] : NULL;
}

const trib_lr_schedule *trib_lr_schedule_find(const char *name)
{
    for (int i = 0; trib_lr_schedule_at(i); ++i)
        if (!strcmp(schedules[i].name, name)) return &schedules[i];
    return NULL;
}

const char *trib_lr_schedule_name(const trib_lr_schedule *schedule) { return schedule->name; }
const char *trib_lr_schedule_summary(const trib_lr_schedule *schedule) { return schedule->summary; }

/* ---- options ---- */

/* A number among the options that may be left 0; otherwise 0 < value < high. */
typedef struct number {
    const char *name;
    size_t offset;
    unsigned taken; /* by the schedules with this bit; 0: by all */
    double high, standard;
} number;

#define AT(field) .name = #field, .offset = offsetof(trib_lr_options, field)
static const number numbers[] = {
    { AT(min_lr), .taken = MIN_LR, .high = INFINITY },
    { AT(decay_epochs), .taken = DECAY_EPOCHS, .high = INFINITY }, /* its default is in the schedule's row, */
    { AT(decay_rate), .taken = DECAY_RATE, .high = INFINITY },     /* and so is this one's */
    { AT(pct_start), .taken = CYCLE, .high = 1, .standard = 0.3 },
    { AT(div_factor), .taken = CYCLE, .high = INFINITY, .standard = 25 },
    { AT(final_div_factor), .taken = CYCLE, .high = INFINITY, .standard = 1e4 },
    { AT(base_momentum), .taken = CYCLE, .high = 1, .standard = 0.85 },
    { AT(max_momentum), .taken = CYCLE, .high = 1, .standard = 0.95 },
    { AT(warmup_epochs), .high = INFINITY },
    { AT(warmup_lr), .high = INFINITY },
};
#undef AT
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static bool takes(const trib_lr_schedule *schedule, const number *n)
{
    return !n->taken || (schedule->takes & n->taken);
}

static trib_status not_taken(const trib_lr_schedule *schedule, const number *wrong)
{
    char all[256] = "";
    size_t used = 0;
    for (const number *n = numbers; n < numbers + NUMBERS && used < sizeof all; ++n)
        if (takes(schedule, n))
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", n->name);
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the schedule %s has no %s, but %s", schedule->name, wrong->name, all);
}

static double standard(const trib_lr_schedule *schedule, const number *n)
{
    if (n->taken == DECAY_EPOCHS) return schedule->decay_epochs;
    return n->taken == DECAY_RATE ? schedule->decay_rate : n->standard;
}

static trib_status resolve_number(const number *n, trib_lr_options *o)
{
    double *value = (double *)((char *)o + n->offset);
    if (*value == 0) {
        if (takes(o->schedule, n)) *value = standard(o->schedule, n);
        return trib_success();
    }
    if (!takes(o->schedule, n)) return not_taken(o->schedule, n);
    if (*value > 0 && *value < n->high) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s is %g; a number above 0%s is possible", n->name, *value,
                      n->high == 1 ? " and below 1" : "");
}

static int64_t warmup_steps(const trib_lr_options *o)
{
    return (int64_t)floor(o->warmup_epochs * (double)o->steps_per_epoch + 0.5);
}

static trib_status check_rates(const trib_lr_options *o)
{
    if (!(o->lr > 0 && o->lr < INFINITY))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a learning rate of %g; a number above 0 is needed", o->lr);
    if (!(o->momentum >= 0 && o->momentum < 1))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a momentum of %g; 0 or more and less than 1 is possible",
                          o->momentum);
    if (o->min_lr > o->lr)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "min_lr %g is above the learning rate, %g", o->min_lr, o->lr);
    if (o->warmup_lr > o->lr)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "warmup_lr %g is above the learning rate, %g", o->warmup_lr, o->lr);
    if (o->warmup_lr > 0 && o->warmup_epochs == 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "warmup_lr is set, but warmup_epochs is 0");
    return trib_success();
}

/* Beyond 2^53 a double cannot count steps. */
static trib_status check_steps(const trib_lr_options *o)
{
    const int64_t most = (int64_t)1 << 53;
    const unsigned needs = o->schedule->takes;
    if (o->steps < 0 || o->steps_per_epoch < 0 || o->steps > most || o->steps_per_epoch > most)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%lld steps, %lld in an epoch: 0 to 2^53 are possible",
                          (long long)o->steps, (long long)o->steps_per_epoch);
    if (!o->steps_per_epoch && ((needs & NEEDS_EPOCHS) || o->warmup_epochs > 0))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s%s needs the number of steps in an epoch",
                          o->warmup_epochs > 0 ? "a warm-up" : "the schedule ",
                          o->warmup_epochs > 0 ? "" : o->schedule->name);
    if (!o->steps && (needs & NEEDS_LENGTH))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the schedule %s needs the number of steps of the run",
                          o->schedule->name);
    if (o->warmup_epochs * (double)o->steps_per_epoch >= (double)most || (o->steps && warmup_steps(o) >= o->steps))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "a warm-up of %g epochs of %lld steps leaves nothing of a run of %lld steps",
                          o->warmup_epochs, (long long)o->steps_per_epoch, (long long)o->steps);
    return trib_success();
}

trib_status trib_lr_resolve(const trib_lr_options *options, trib_lr_options *out)
{
    trib_lr_options o = *options;
    if (!o.schedule) o.schedule = &schedules[0];
    for (int i = 0; i < NUMBERS; ++i) TRIB_TRY(resolve_number(&numbers[i], &o));
    if (o.fixed_momentum && !(o.schedule->takes & CYCLE))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the momentum of the schedule %s is fixed in any case",
                          o.schedule->name);
    TRIB_TRY(check_rates(&o));
    TRIB_TRY(check_steps(&o));
    if (o.warmup_epochs > 0 && o.warmup_lr == 0) o.warmup_lr = fmin(1e-5, o.lr);
    *out = o;
    return trib_success();
}

trib_lr_step trib_lr_at(const trib_lr_options *o, int64_t step)
{
    const int64_t warmup = warmup_steps(o);
    const double steps = (double)(o->steps - warmup);
    if (o->steps && step >= o->steps) step = o->steps - 1;
    if (step >= warmup) return o->schedule->at(o, (double)(step - warmup), steps);
    trib_lr_step now = o->schedule->at(o, 0, steps);
    now.rate = o->warmup_lr + (now.rate - o->warmup_lr) * ((double)step / (double)warmup);
    return now;
}

/* ---- averaged weights ---- */

trib_status trib_average_resolve(const trib_average *average, trib_average *out)
{
    trib_average a = *average;
    if (a.kind != TRIB_AVERAGE_NONE && a.kind != TRIB_AVERAGE_EMA && a.kind != TRIB_AVERAGE_MEAN)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "there is no average of weights of kind %d", (int)a.kind);
    if (a.decay != 0 && a.kind != TRIB_AVERAGE_EMA)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a decay of %g, but only the exponential average has one", a.decay);
    if (a.kind == TRIB_AVERAGE_EMA && a.decay == 0) a.decay = 0.9998;
    if (!(a.decay >= 0 && a.decay < 1))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a decay of %g; a number above 0 and below 1 is possible", a.decay);
    if (a.start < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the average of weights starts after %lld updates; 0 is the least",
                          (long long)a.start);
    *out = a;
    return trib_success();
}

double trib_average_decay(const trib_average *average, int64_t updates)
{
    const double n = (double)(updates - average->start);
    if (n < 0) return 0;
    switch (average->kind) {
    case TRIB_AVERAGE_EMA: return fmin(average->decay, (1 + n) / (10 + n));
    case TRIB_AVERAGE_MEAN: return n / (n + 1);
    default: return 0;
    }
}
