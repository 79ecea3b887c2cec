/* SPDX-License-Identifier: Apache-2.0
 * Tributary: boxes of an image in which there may be an object, whatever its class: selective search.
 *
 *     trib_propose_options options = trib_propose_as(TRIB_STRATEGY_FAST);
 *     trib_proposals found;
 *     trib_status s = trib_propose(&options, &image, &found);
 *     ... the best found.count boxes first ...
 *     trib_proposals_release(&found);
 *
 * The method is that of Uijlings, van de Sande, Gevers and Smeulders, "Selective Search for Object Recognition", IJCV
 * 2013 ([S] below), on the start regions of Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation",
 * IJCV 2004 ([F]). For each colour space and each k, an image falls into start regions; for each set of similarities,
 * the two most similar neighbours are merged until one region is left. Every region's bounding box is a proposal.
 *
 * Start regions [F 3.1, 3.2]. Pixels are nodes; an edge joins a pixel to the one on its right and the one below, and
 * weighs the Euclidean distance of their colours, each channel 0 .. 255, after a Gaussian of sigma 0.8 [S 3.1]. Edges
 * are taken from the lightest to the heaviest; one between the components A and B joins these if its weight is at most
 *
 *     min(Int(A) + k / |A|, Int(B) + k / |B|),    Int: the heaviest edge that joined the component, |A|: its pixels
 *
 * Then components of fewer than k pixels are joined along the lightest edge that leaves them. Weights are
 * multiples of 1/65536. Edges of equal weight are taken in order of their first pixel, row by
 * row, the one to the right first. [F] also has edges to diagonal neighbours.
 *
 * Similarities [S 3.2], each 0 .. 1; a set is their sum with equal weights:
 *
 *     colour   sum of min(a_i, b_i) over normalised histograms of 25 bins per channel
 *     texture  the same, 10 bins per channel and direction, of derivatives of a Gaussian of sigma 1 in 8 directions:
 *              four derivatives, 45 degrees apart, each split into its positive and its negative values. [S] leaves
 *              the range of the bins open: here they are 9.14 grey levels wide, and the steepest edge gives 92.6
 *     size     1 - (|A| + |B|) / |image|
 *     fill     1 - (|bounding box of both| - |A| - |B|) / |image|
 *
 * Regions are neighbours if two of their pixels share a side. A merged region has the sum of both histograms' counts,
 * which is [S]'s mean weighted by size. Start regions are numbered by their first pixel, row by row, merged ones from
 * there on as they appear; of pairs that are equally similar, the one with the least lower number is merged, then
 * the one with the least higher number.
 *
 * Order [S 3.3]: a region's rank is i times a random number, i = 1 for the last one that was merged and so on down to
 * the start regions; the boxes are in order of rank, and a box that several regions have keeps its lowest. The random
 * number is a hash of the region's number and its grouping's, so that the same image gives the same boxes in the same
 * order, in any thread, on any machine with IEEE arithmetic. */
#ifndef TRIBUTARY_PROPOSALS_H
#define TRIBUTARY_PROPOSALS_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/image.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

/* Every channel is 0 .. 255. */
typedef enum trib_colour_space {
    TRIB_COLOURS_HSV = 0,   /* hue (0 where there is none), saturation, value */
    TRIB_COLOURS_LAB,       /* CIE L* a* b* of sRGB, white D65: 255/100 L*, a* + 128, b* + 128 */
    TRIB_COLOURS_RGI,       /* R and G as a share of R + G + B (1/3 of black), intensity */
    TRIB_COLOURS_HUE,       /* that of HSV */
    TRIB_COLOURS_INTENSITY, /* 0.299 R + 0.587 G + 0.114 B */
    TRIB_COLOUR_SPACES
} trib_colour_space;

/* Members of a set of similarities, to be added. */
enum { TRIB_BY_COLOUR = 1, TRIB_BY_TEXTURE = 2, TRIB_BY_SIZE = 4, TRIB_BY_FILL = 8 };

/* Limits of the lists in trib_propose_options. */
enum { TRIB_PROPOSE_SPACES = 8, TRIB_PROPOSE_SETS = 16, TRIB_PROPOSE_KS = 8 };

/* A grouping is one of spaces x ks x sets. */
typedef struct trib_propose_options {
    int space_count, set_count, k_count;
    trib_colour_space spaces[TRIB_PROPOSE_SPACES];
    unsigned sets[TRIB_PROPOSE_SETS]; /* of similarities */
    int ks[TRIB_PROPOSE_KS];          /* at least 1; also the least number of pixels of a start region */
    /* An image of more pixels is first reduced to about as many, its sides in proportion, for the method depends on
     * scale and R-CNN reduces to a width of 500; boxes are those of the image that was given. 0: never. */
    int pixels;
    int min_side; /* of a box, in pixels of the image that was given; smaller ones are left out */
} trib_propose_options;

typedef enum trib_strategy {
    /* [S] table 5: HSV; colour + texture + size + fill; k = 100. */
    TRIB_STRATEGY_SINGLE = 0,
    /* [S] table 5, and R-CNN's: HSV and Lab; all four similarities, and all but colour; k = 50, 100. */
    TRIB_STRATEGY_FAST,
    /* [S] table 5: all spaces; all four, all but colour, fill alone, size alone; k = 50, 100, 150, 300. */
    TRIB_STRATEGY_QUALITY,
    /* Szegedy et al., "Going Deeper with Convolutions", 2015, section 8: superpixels of twice the size, which halves
     * the number of boxes: fast with k = 100, 200. */
    TRIB_STRATEGY_PAPER,
    TRIB_STRATEGIES
} trib_strategy;
/* "single", "fast", "quality", "paper"; NULL for other values. */
const char *trib_strategy_name(trib_strategy strategy);
/* The options of a strategy, with R-CNN's least side of 20 and at most 250,000 pixels. */
trib_propose_options trib_propose_as(trib_strategy strategy);

/* Half-open, in pixels from the top left corner: columns x0 .. x1 - 1, rows y0 .. y1 - 1. */
typedef struct trib_proposal {
    int x0, y0, x1, y1;
} trib_proposal;

typedef struct trib_proposals {
    trib_proposal *boxes; /* owned; no two are equal; best first */
    size_t count;
} trib_proposals;
/* Leaves an empty list; NULL is fine. */
void trib_proposals_release(trib_proposals *proposals);

/* The proposals of an image of 1 or 3 channels (gray counts as R = G = B). Any image has a result, which may be empty:
 * an image of one colour has itself, where min_side lets it. Fails with TRIB_INVALID_ARGUMENT on options or an image
 * that make no sense, and TRIB_OUT_OF_MEMORY. Time grows with the pixels, and with the square of a region's neighbours:
 * `fast` takes ten times as long for a field of 2,400 dots as for a photo. It runs in the calling thread and keeps
 * nothing between calls: any number of threads may call it. */
trib_status trib_propose(const trib_propose_options *options, const trib_image *image, trib_proposals *out);
/* An upper bound of trib_propose's memory for an image of this size, without the image, in bytes; 0 where it would
 * refuse the options or the image. 34 MB for `fast` and 59 for `quality`, however large the image. */
int64_t trib_propose_bytes(const trib_propose_options *options, int width, int height);

TRIB_END_DECLS
#endif
