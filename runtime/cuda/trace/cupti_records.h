/* SPDX-License-Identifier: Apache-2.0
 * Whose work a record of CUPTI's is. Pure: no calls of CUPTI or CUDA. The caller holds the lock.
 *
 * A record carries the correlation id of the call that caused it: of the launch of one kernel, or of a whole graph. In
 * a graph, the record's node says which op it is; node ids are known from the capture (cupti_session.c). The streams of
 * records mean nothing: of a graph's nodes, they are the executor's choice. */
#ifndef TRIBUTARY_RUNTIME_CUDA_TRACE_CUPTI_RECORDS_H
#define TRIBUTARY_RUNTIME_CUDA_TRACE_CUPTI_RECORDS_H

#include "cuda/trace/observation.h"

/* A piece of work that the device did. */
typedef struct trib_cupti_work {
    uint64_t node; /* 0: not in a graph */
    uint32_t correlation;
    int64_t start, end;
} trib_cupti_work;

typedef struct trib_cupti_works {
    trib_cupti_work *list;
    size_t count, capacity;
} trib_cupti_works;

typedef struct trib_cupti_node {
    uint64_t id;
    int op;
} trib_cupti_node;

typedef struct trib_cupti_call {
    uint32_t correlation;
    int op; /* TRIB_OBSERVE_LAUNCH: a graph's */
} trib_cupti_call;

/* What is known of an op in a run. */
typedef struct trib_cupti_seen {
    bool given;
    int wanted, found; /* pieces of work: launched, and with a record */
    int untimed;       /* of those found: without times */
    int64_t issued, start, end;
} trib_cupti_seen;

typedef struct trib_cupti_run {
    trib_observed_run *run; /* NULL: free */
    bool launched;          /* as a graph */
    bool incomplete;        /* memory ran out: not all calls are known */
    bool suspect;           /* may have been given the work of another launch */
    int64_t issued;
    trib_cupti_call *calls; /* of the thread that uses the session, so in ascending order */
    size_t call_count, call_capacity;
    trib_cupti_seen *ops;
} trib_cupti_run;

enum { TRIB_CUPTI_IGNORED = 64 };

typedef struct trib_cupti_observation {
    trib_cuda_observation base;
    struct trib_cupti_observation *next;
    uint32_t version; /* of CUPTI */
    int op_count, run_count;
    trib_cupti_run *runs;
    trib_cupti_seen *seen; /* of all runs */
    bool *recorded;        /* ops that a capture has */
    int *nodes_of;         /* pieces of work of each op in the latest capture */
    trib_cupti_node *nodes;
    size_t node_count, node_capacity;
    bool nodes_sorted, nodes_lost;
    trib_cupti_works strays;              /* our nodes' work, with a correlation id that no run has */
    bool by_order;                        /* launches have wrong ids: all work of nodes is a stray */
    uint32_t ignored[TRIB_CUPTI_IGNORED]; /* the latest launches that nobody asks for */
    size_t ignored_count;
} trib_cupti_observation;

/* NULL if the node is not of this observation. */
const trib_cupti_node *trib_cupti_find_node(trib_cupti_observation *observation, uint64_t id);
/* Gives each work to its run; those of none are dropped, or become strays. Empties `works`. A stray beside runs that
 * were given work shows that ids are wrong: these runs are suspect, and from then on ids of launches count no more. */
void trib_cupti_sort_out(trib_cupti_observation *observations, trib_cupti_works *works);
void trib_cupti_ignore(trib_cupti_observation *observation, uint32_t correlation);
/* If the run was launched as a graph and no work has its correlation id, takes strays by their order. True if it took
 * a complete set. */
bool trib_cupti_guess(trib_cupti_observation *observation, trib_cupti_run *run);
bool trib_cupti_complete(const trib_cupti_observation *observation, const trib_cupti_run *run);
/* Success, or what is missing. */
trib_status trib_cupti_verdict(const trib_cupti_observation *observation, const trib_cupti_run *run);
/* Forgets strays that began before this run was issued: older runs are gone. */
void trib_cupti_forget_strays(trib_cupti_observation *observation, const trib_cupti_run *run);

#endif
