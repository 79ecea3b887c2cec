/* SPDX-License-Identifier: Apache-2.0
 * A report of Nsight Systems (.nsys-rep) as a database, made by its own program. */
#ifndef TRIBUTARY_PROFILE_NSYS_EXPORT_H
#define TRIBUTARY_PROFILE_NSYS_EXPORT_H

#include "profile/nsys_database.h"

typedef struct trib_nsys_exported {
    char *folder; /* in TMPDIR, readable by this user alone: a report holds the environment of what was profiled */
    char *path;   /* NULL: nothing was exported, the file is to be read as it is */
} trib_nsys_exported;

/* Runs nsys, which has to be on PATH, if the file begins as its reports do, or is called .nsys-rep and
 * is no database. Does nothing for other files, but fails if there is none. Call trib_nsys_export_remove afterwards in
 * every case. */
trib_status trib_nsys_export(const char *path, trib_nsys_stop stop, trib_nsys_exported *exported);
void trib_nsys_export_remove(trib_nsys_exported *exported);

#endif
