/* SPDX-License-Identifier: Apache-2.0 */
#include "truth_options.h"

#define AT(field) offsetof(trib_truth_options, field)
static const cli_option table[] = {
    { 0, "box-classes", CLI_FILE_IN, AT(classes), "FILE",
      "list of classes: for YOLO and VOC a name per line, for ILSVRC map_det.txt; YOLO's is also found as classes.txt "
      "or obj.names in the folder or the two above, ILSVRC's as map_det.txt in the folder or the one above",
      0, 0 },
    { 0, "box-images", CLI_FILE_IN, AT(images), "FOLDER",
      "images of YOLO's files, which say how large they are; default: beside the files, or 'images' for 'labels' in "
      "their path",
      0, 0 },
    { 0, "box-list", CLI_FILE_IN, AT(list), "FILE",
      "of VOC's and ILSVRC's annotations, only those whose names FILE lists, as in ImageSets/Main; ILSVRC's second "
      "words are the images' numbers (default: list.txt beside the annotations)",
      0, 0 },
};

cli_group cli_truth_group(trib_truth_options *options)
{
    return (cli_group)CLI_GROUP("Files of boxes", table, options);
}

const char *cli_truth_option_given(const trib_truth_options *o)
{
    return o->classes ? "box-classes" : o->images ? "box-images" : o->list ? "box-list" : NULL;
}
