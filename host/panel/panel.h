/* SPDX-License-Identifier: Apache-2.0
 * A panel: one or several models that are asked about the same items, and their joint answer.
 *
 * An item is an image, say. It has pictures, and for each member of the panel a list of regions of them, each of which
 * is one image of a batch of that member. Batches stay full across items, so an item owns a range of slots:
 *
 *     items      0 0 0 0 0 0 1 1 2 2 2 2 2 2 2 3 3
 *     batches   |- - - -|- - - -|- - - -|- - - -|- ...   the last is computed when it is full, or by trib_panel_flush
 *
 *     trib_panel_create(members, 2, NULL, &panel);
 *     while (an image is left) {
 *         trib_panel_submit(panel, &item);
 *         while (trib_panel_next(panel, &result), result) ...;   // of this item or of earlier ones
 *     }
 *     trib_panel_flush(panel);
 *     while (trib_panel_next(panel, &result), result) ...;
 *
 * (Every call returns a status.) A result is
 *
 *     result[row][class] = mean over members of (sum over the member's regions of that row of weight * probability)
 *
 * in double, in the order of the item's regions and of the members. So it has the same bits whatever the size of
 * batches, how many are in flight, and which ends first, as long as the members' probabilities have. */
#ifndef TRIBUTARY_PANEL_PANEL_H
#define TRIBUTARY_PANEL_PANEL_H

#include "tributary/model.h"
#include "tributary/region.h"
#include "tributary/session.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_MOST_MEMBERS = 64 };

typedef struct trib_panel trib_panel;

typedef struct trib_panel_member {
    trib_device *device;                 /* several members may share one; it outlives the panel */
    const trib_model *model;             /* used by trib_panel_create only */
    const trib_preprocess *preprocess;   /* its normalisation; NULL: the model's. Copied */
    const trib_session_options *session; /* as for any session; max_batch: regions per batch; in_flight 0: two on a GPU,
                                            one on a cpu. The panel sets the plan's input and outputs. Used by
                                            trib_panel_create only */
    /* (optional) In place of trib_session_create, for a caller who completes the options. */
    trib_status (*create)(void *context, const struct trib_panel_member *member, const trib_session_options *options,
                          trib_session **out);
    void *context;
} trib_panel_member;

/* `options` may be NULL; 0: the default. */
typedef struct trib_panel_options {
    int64_t picture_bytes; /* pictures on each device at a time; default: 1 GiB. A larger picture is refused */
    int most_items;        /* items whose results are not taken yet, beyond which the panel computes batches that are
                              not full; default: 4096 */
} trib_panel_options;

/* Creates the members' sessions. Fails if they differ in the number of classes, naming both models, and with
 * TRIB_UNSUPPORTED if a device takes no regions. */
trib_status trib_panel_create(const trib_panel_member *members, int count, const trib_panel_options *options,
                              trib_panel **out);
/* Waits for what is being computed; results that were not taken are lost. NULL is fine. */
void trib_panel_destroy(trib_panel *panel);

int trib_panel_members(const trib_panel *panel);
int trib_panel_classes(const trib_panel *panel);
const trib_session *trib_panel_session(const trib_panel *panel, int member);

/* One region that an item asks about. */
typedef struct trib_panel_region {
    trib_region region; /* its picture is the index of one of the item's */
    int row;            /* of the result */
    double weight;
} trib_panel_region;

typedef struct trib_panel_part {
    const trib_panel_region *regions;
    int count;
} trib_panel_part;

typedef struct trib_panel_item {
    void *context;              /* comes back with the result */
    int rows;                   /* 0: the result is empty, and comes in its turn */
    const trib_image *pictures; /* 8-bit RGB, three channels. A device gets those that its members' regions need, once,
                                   and keeps them until these are computed */
    int picture_count;
    const trib_panel_part *parts; /* one per member; they may share their regions */
} trib_panel_item;

/* Takes an item; all of it is copied when the call returns. Computes the batches it fills, and waits for earlier ones
 * where a member has no room or a device has no memory for its pictures. An impossible item (a picture or row that does
 * not exist, a number that is not finite, a picture that is not RGB) fails with TRIB_INVALID_ARGUMENT and changes
 * nothing. After any other failure the panel is only good for trib_panel_destroy: later calls return that failure. */
trib_status trib_panel_submit(trib_panel *panel, const trib_panel_item *item);
/* Computes batches that are not full, and waits for all. */
trib_status trib_panel_flush(trib_panel *panel);

typedef struct trib_panel_result {
    void *context;
    int rows, classes;
    const double *joint;   /* rows x classes */
    const double *members; /* members x rows x classes: the same sums of each member alone */
} trib_panel_result;

/* The result of the oldest item whose result was not taken; *out = NULL if there is none, or if it is not complete. It
 * is valid until the next call of this function. Never waits. */
trib_status trib_panel_next(trib_panel *panel, const trib_panel_result **out);

typedef struct trib_panel_stats {
    int64_t regions, batches; /* computed so far, all members together */
} trib_panel_stats;
trib_panel_stats trib_panel_get_stats(const trib_panel *panel);

#ifdef __cplusplus
}
#endif
#endif
