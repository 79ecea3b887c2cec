/* SPDX-License-Identifier: Apache-2.0
 * Where a checkpoint's checksums are, for its writer and its reader. */
#ifndef TRIBUTARY_TRAIN_CHECKPOINT_FORMAT_H
#define TRIBUTARY_TRAIN_CHECKPOINT_FORMAT_H

/* Every checkpoint begins with the length of the header, 8 bytes, and this. The first digit after it is the format's
 * version, the eight after the space are the CRC-32C of all bytes before the data, computed with eight characters 0 in
 * their place: they stand at a fixed place, so they are found and compared before anything in the header is believed.
 */
#define TRIB_CHECKPOINT_KEY "tributary.checkpoint"
#define TRIB_CHECKPOINT_START "{\"__metadata__\":{\"" TRIB_CHECKPOINT_KEY "\":\""
#define TRIB_CHECKPOINT_VERSION "1"
/* Value: eight digits for each tensor in the order of their data, the CRC-32C of that data. */
#define TRIB_CHECKPOINT_DATA_KEY "tributary.checkpoint.data"

enum {
    TRIB_CHECKPOINT_DIGITS = 8, /* hexadecimal, lower case */
    TRIB_CHECKPOINT_VERSION_AT = 8 + sizeof TRIB_CHECKPOINT_START - 1,
    TRIB_CHECKPOINT_DIGITS_AT = TRIB_CHECKPOINT_VERSION_AT + 2,
    TRIB_CHECKPOINT_SMALLEST_HEADER = TRIB_CHECKPOINT_DIGITS_AT + TRIB_CHECKPOINT_DIGITS
};

#endif
