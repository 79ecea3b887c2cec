/* SPDX-License-Identifier: Apache-2.0
 * Numbers as text. */
#ifndef TRIBUTARY_TRAIN_NUMBER_H
#define TRIBUTARY_TRAIN_NUMBER_H

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_NUMBER_TEXT = 32 };

/* The fewest digits that read as exactly `value`; "nan", "inf", "-inf". Returns `text`, which has
 * TRIB_NUMBER_TEXT bytes. */
const char *trib_number_text(double value, char *text);

#ifdef __cplusplus
}
#endif
#endif
