/* SPDX-License-Identifier: Apache-2.0
 * Shared by the parts of the reader of .caffemodel files. */
#ifndef TRIBUTARY_FORMATS_CAFFE_PRIVATE_H
#define TRIBUTARY_FORMATS_CAFFE_PRIVATE_H

#include "formats/caffe.h"
#include "formats/imported.h"

typedef struct trib_caffe_file {
    trib_weights_file base; /* owns its tensors' names */
    void *bytes;            /* of the file; NULL after they are released */
    const void **values;    /* of each tensor, in the bytes */
    trib_caffe_net net;
    trib_imported imported;
} trib_caffe_file;

/* Keeps the tensors that a known network has, takes a renamed classifier for the network's, and checks the other
 * numbers of the layers. If no network fits, all tensors stay, for their user to say so. */
trib_status trib_caffe_find_network(trib_caffe_file *file);

#endif
