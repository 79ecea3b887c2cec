/* SPDX-License-Identifier: Apache-2.0
 * Files of class names. */
#ifndef TRIBUTARY_TRAIN_CLASS_NAMES_H
#define TRIBUTARY_TRAIN_CLASS_NAMES_H

#include "data/names.h"

/* Adds the lines of the file at `path`. Fails, naming the line, where one has no name. */
trib_status trib_train_read_class_names(const char *path, trib_names *names);

#endif
