/* SPDX-License-Identifier: Apache-2.0
 * The options that change a model's preprocessing, and the report of a guess. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "settings.h"

/* timm's rule: resize to floor(size / crop_pct). */
static void change_crop(const cli_settings *s, int size, trib_preprocess *p)
{
    if (s->crop_mode != CLI_NOT_GIVEN)
        p->resize_mode = s->crop_mode == CLI_CROP_SQUASH ? TRIB_RESIZE_SQUASH : TRIB_RESIZE_SHORT_SIDE;
    if (s->crop_pct > 0 && p->resize_mode == TRIB_RESIZE_NONE) p->resize_mode = TRIB_RESIZE_SHORT_SIDE;
    if (s->crop_pct > 0) p->resize = (int)fmin(size / s->crop_pct, INT_MAX);
    if (p->resize < size) p->resize = size; /* models that do not resize may have 0 */
}

trib_status cli_change_preprocess(const cli_settings *s, const trib_network_spec *net, trib_preprocess *p)
{
    if (s->crop_pct > 0 || s->crop_mode != CLI_NOT_GIVEN)
        change_crop(s, net->height > net->width ? net->height : net->width, p);
    if (s->interpolation != CLI_NOT_GIVEN) p->interpolation = (trib_interpolation)s->interpolation;
    if (s->resample_order != CLI_NOT_GIVEN) p->resample_order = (trib_resample_order)s->resample_order;
    if (s->channels != CLI_NOT_GIVEN) p->bgr = s->channels == CLI_CHANNELS_BGR;
    if (s->mean.given) memcpy(p->mean, s->mean.values, sizeof p->mean);
    if (s->std.given) memcpy(p->std, s->std.values, sizeof p->std);
    return trib_preprocess_check(p);
}

/* Options that only select a part of the image do not count: a wrong crop costs little accuracy, a wrong mean nearly
 * all. */
static bool normalisation_given(const cli_settings *s) { return s->mean.given && s->std.given; }

void cli_say_guess(const cli_settings *s, const trib_model *model)
{
    const char *guess = trib_model_preprocess_guess(model);
    if (!guess || normalisation_given(s)) return;
    cli_message(
        "%s does not say all of how its images were preprocessed. Guessed: %s. With wrong preprocessing, predictions "
        "are "
        "wrong; if you know better, add --mean A,B,C --std A,B,C, and where they differ --channels, --crop-pct, "
        "--crop-mode, --interpolation ('tributary info' shows what is used)",
        trib_model_path(model), guess);
}

const char *cli_preprocess_options(const cli_settings *s, char text[CLI_PREPROCESS_OPTIONS_TEXT])
{
    const struct {
        const char *name;
        bool given;
    } options[] = { { "--crop-pct", s->crop_pct > 0 },
                    { "--crop-mode", s->crop_mode != CLI_NOT_GIVEN },
                    { "--interpolation", s->interpolation != CLI_NOT_GIVEN },
                    { "--resample-order", s->resample_order != CLI_NOT_GIVEN },
                    { "--mean", s->mean.given },
                    { "--std", s->std.given },
                    { "--channels", s->channels != CLI_NOT_GIVEN },
                    { "--prototxt", s->prototxt != NULL },
                    { "--mean-file", s->mean_file != NULL } };
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof options / sizeof *options; ++i)
        if (options[i].given)
            used += (size_t)snprintf(text + used, CLI_PREPROCESS_OPTIONS_TEXT - used, "%s%s", used ? ", " : "",
                                     options[i].name);
    return text;
}
