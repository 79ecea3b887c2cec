/* SPDX-License-Identifier: Apache-2.0
 * The options that several commands share, and what they lead to: a device, a model with its preprocessing, a session.
 */
#ifndef TRIBUTARY_CLI_SETTINGS_H
#define TRIBUTARY_CLI_SETTINGS_H

#include "options.h"

typedef struct cli_settings {
    /* compute */
    const char *device;
    const char *target;       /* a card that need not be here; NULL: none. Only for plans */
    const char *choice_cache; /* a file, "none", or NULL: the usual one */
    int precision, schedule, launch, layout;
    int threads, lanes;
    int chunk; /* images a lane takes at a time; 0: chosen. No option: bench sets it */
    bool reference, measure;
    cli_texts disabled_passes;
    int64_t memory_limit;
    /* the network */
    int image_size;   /* 0: the model's */
    const char *arch; /* name of a network with random parameters; NULL: a model file */
    int classes, seed;
    double width_multiplier;
    bool aux;
    /* preprocessing: -1, 0 or not given: the model's */
    double crop_pct;
    int crop_mode, interpolation, resample_order, channels;
    cli_triple mean, std;
    trib_decode_options decode;
    int64_t loader_memory; /* 0: half of what the process may use */
} cli_settings;

cli_settings cli_default_settings(void);

cli_group cli_compute_group(cli_settings *settings);
cli_group cli_target_group(cli_settings *settings);     /* --target */
cli_group cli_size_group(cli_settings *settings);       /* --img-size */
cli_group cli_random_group(cli_settings *settings);     /* --arch and what goes with it */
cli_group cli_decode_group(cli_settings *settings);     /* --max-pixels ... */
cli_group cli_preprocess_group(cli_settings *settings); /* --crop-pct ... */

/* Whether the arguments are MODEL (unless --arch stands for it) and `fewest` .. `most` more, called `what` in the
 * message. Returns CLI_GO_ON, or says what is wrong and returns CLI_USAGE. */
int cli_expect(const cli_command *command, const cli_settings *settings, const cli_texts *arguments, int fewest,
               int most, const char *what);

/* What --device and --target ask for together: "auto", "cpu", "cuda" ... */
const char *cli_device_spec(const cli_settings *settings);
/* Fails on an unknown --target, naming those there are. */
trib_status cli_open_device(const cli_settings *settings, trib_device **out);

/* The file for trib_device_options.choices_path; NULL: none, and always for a device that has no use for it. Its folder
 * is made when something may be measured; one that cannot be made is said then. Release *out with trib_free. */
trib_status cli_choice_cache(const cli_settings *settings, char **out);
/* After something may have been measured. A failure is said and changes nothing else. */
void cli_save_choices(const cli_settings *settings, trib_device *device);

/* The file at `path`, or with --arch (then `path` is NULL) a random network. Fills `preprocess` with the model's,
 * changed as the settings say. */
trib_status cli_load_model(const cli_settings *settings, const char *path, trib_model **out,
                           trib_preprocess *preprocess);

/* Changes the model's own preprocessing as the options say. */
trib_status cli_change_preprocess(const cli_settings *settings, const trib_network_spec *net,
                                  trib_preprocess *preprocess);
/* On standard error: what was guessed about preprocessing, and how to set it; nothing when the file or --mean and --std
 * say it. For every command whose results depend on it. */
void cli_say_guess(const cli_settings *settings, const trib_model *model);
/* Those that were given, "--mean, --std"; "" when none was. Returns `text`. */
enum { CLI_PREPROCESS_OPTIONS_TEXT = 128 };
const char *cli_preprocess_options(const cli_settings *settings, char text[CLI_PREPROCESS_OPTIONS_TEXT]);

/* Fails on a layout or pass that there is not. Input is in the layout in which `device` likes to be handed images: NHWC
 * if it computes in that, else NCHW. */
trib_status cli_plan_options(const cli_settings *settings, trib_device *device, trib_plan_options *out);
/* The same for a session for up to `batch` images. */
trib_status cli_session_options(const cli_settings *settings, trib_device *device, int batch,
                                trib_session_options *out);
/* Images are best handed to `device` as 8-bit pixels, a quarter of the bytes; --reference begins with float32. */
bool cli_wants_raw_pixels(const cli_settings *settings, const trib_device *device);
/* The caller hands in 8-bit pixels, and `device` does what is left of `preprocess`. `normalise` must live as long as
 * `plan` is used. */
void cli_take_raw_pixels(trib_plan_options *plan, const trib_preprocess *preprocess, trib_normalise *normalise);

/* Keeps what was measured. The model's parameters are the caller's to release, with the last session. */
trib_status cli_create_session(const cli_settings *settings, trib_device *device, const trib_model *model,
                               const trib_session_options *options, trib_session **out);

/* Fails, naming the nearest layer, when one of `names` is neither an output nor a layer. */
trib_status cli_check_outputs(const trib_graph *graph, const cli_texts *names);

#endif
