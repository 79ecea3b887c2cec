/* SPDX-License-Identifier: Apache-2.0
 * What the panel's files share: members with their batches (seats.c), items with their sums (entries.c). */
#ifndef TRIBUTARY_PANEL_PRIVATE_H
#define TRIBUTARY_PANEL_PRIVATE_H

#include "panel/panel.h"

/* An item whose result was not taken yet. */
typedef struct trib_panel_entry {
    struct trib_panel_entry *next;
    double *sums;     /* of each member, then joint: (members + 1) x rows x classes; with one member only its own */
    int64_t *handles; /* of its pictures on each device: devices x picture_count; NO_HANDLE: not there */
    int picture_count;
    int64_t left; /* regions in batches */
    bool open;    /* not all of its regions are in batches yet */
    bool complete;
    trib_panel_result result;
} trib_panel_entry;

enum { NO_HANDLE = -1 };

/* Where one row of a batch's probabilities goes. */
typedef struct trib_panel_target {
    trib_panel_entry *entry;
    int row;
    double weight;
} trib_panel_target;

typedef struct trib_panel_batch {
    trib_region *regions;
    trib_panel_target *targets;
    float *probabilities; /* of trib_host_alloc */
    int count;
    int64_t job, number; /* `number` counts all batches of the panel */
} trib_panel_batch;

/* A device, which may serve several members. */
typedef struct trib_panel_device {
    trib_device *device;
    trib_pictures *pictures;
    bool host;
} trib_panel_device;

/* A member at work: of its in_flight + 1 batches, those from `finished` to `begun` are being computed, and the next is
 * being filled. */
typedef struct trib_panel_seat {
    trib_session *session;
    trib_panel_device *device;
    trib_normalise normalise;
    int index, size, in_flight; /* size: regions per batch */
    trib_panel_batch *batches;
    int64_t begun, finished;
} trib_panel_seat;

struct trib_panel {
    trib_panel_seat *seats;
    trib_panel_device *devices;
    int members, device_count, classes, most_items;
    trib_panel_entry *first, *last, *taken; /* a queue; the entry whose result the caller has */
    int count;                              /* entries in the queue */
    trib_panel_stats stats;
    trib_status status; /* the failure that ended its use */
};

trib_status trib_panel_seat_open(trib_panel *panel, const trib_panel_member *member, trib_panel_seat *seat);
void trib_panel_seat_close(trib_panel_seat *seat);
/* Puts a region into the seat's batch, and computes the batch if it is full then. */
trib_status trib_panel_place(trib_panel *panel, trib_panel_seat *seat, const trib_panel_region *region, int64_t handle,
                             trib_panel_entry *entry);
/* Ends the oldest batch that is being computed, or begins one that is not full. *moved = false: there is none. */
trib_status trib_panel_advance(trib_panel *panel, bool *moved);

/* Appends an open entry to the queue. */
trib_status trib_panel_entry_add(trib_panel *panel, const trib_panel_item *item, trib_panel_entry **out);
/* The picture of the item on the device, which gets it now if it has not yet. */
trib_status trib_panel_entry_picture(trib_panel *panel, trib_panel_entry *entry, const trib_panel_item *item,
                                     int picture, const trib_panel_device *device, int64_t *handle);
/* Where the seat's probabilities for a row are summed. */
double *trib_panel_entry_sums(const trib_panel *panel, const trib_panel_entry *entry, int member, int row);
/* If nothing of it is left: completes the result and removes its pictures. */
void trib_panel_entry_settle(trib_panel *panel, trib_panel_entry *entry);
void trib_panel_entry_free(trib_panel_entry *entry);

#endif
