/* SPDX-License-Identifier: Apache-2.0
 * The options that several commands share, and what they select: a device, a model with its preprocessing, a session.
 */
#ifndef TRIBUTARY_CLI_SETTINGS_H
#define TRIBUTARY_CLI_SETTINGS_H

#include "options.h"
#include "tributary/trainer.h"

/* The words of choices, in the order of their options. Other choices have the order of an enum of the library. */
enum { CLI_NOT_GIVEN = -1 };
enum { CLI_LAYOUT_AUTO, CLI_LAYOUT_NHWC, CLI_LAYOUT_BLOCKED };
enum { CLI_CROP_CENTER, CLI_CROP_SQUASH };
enum { CLI_CHANNELS_RGB, CLI_CHANNELS_BGR };

typedef struct cli_settings {
    /* compute */
    const char *device;
    const char *target;       /* a card that need not be in this machine; NULL: none. Only for plans */
    const char *choice_cache; /* a file, "none", or NULL: the default file */
    int precision, launch, layout;
    cli_texts devices;   /* commands that take several models (members.h): in their order, in place of `device` ... */
    cli_ints precisions; /* ... and `precision` */
    cli_schedules schedule;
    int threads, lanes;
    int chunk;        /* images per chunk of a lane; 0: automatic. No option: bench sets it */
    int lane_threads; /* threads of a lane; 0: automatic. No option: profile sets it */
    bool reference, measure, fast;
    cli_texts disabled_passes;
    int64_t memory_limit;
    /* the network */
    int image_size;   /* 0: the model's */
    const char *arch; /* name of a network with random parameters; NULL: a model file */
    int classes, seed;
    double width_multiplier;
    bool aux;
    /* preprocessing: CLI_NOT_GIVEN, 0 or not given: the model's */
    double crop_pct;
    int crop_mode, interpolation, resample_order, channels;
    cli_triple mean, std;
    const char *prototxt, *mean_file; /* NULL: none */
    int crops;                        /* how many parts of an image a network is asked about: index of a policy */
    cli_ints scales;                  /* none: the policy's own */
    trib_decode_options decode;
    int64_t loader_memory; /* 0: half of what the process may use */
} cli_settings;

cli_settings cli_default_settings(void);

cli_group cli_compute_group(cli_settings *settings);
/* The same without --schedule, --launch and --precision, which bench takes lists of. */
cli_group cli_swept_compute_group(cli_settings *settings);
/* The same with lists for --device and --precision. */
cli_group cli_members_compute_group(cli_settings *settings);
cli_group cli_target_group(cli_settings *settings);     /* --target */
cli_group cli_order_group(cli_settings *settings);      /* --fast */
cli_group cli_size_group(cli_settings *settings);       /* --img-size */
cli_group cli_random_group(cli_settings *settings);     /* --arch and its companions */
cli_group cli_decode_group(cli_settings *settings);     /* --max-pixels ... */
cli_group cli_caffe_group(cli_settings *settings);      /* --prototxt, --mean-file */
cli_group cli_preprocess_group(cli_settings *settings); /* --crop-pct ... */
cli_group cli_crops_group(cli_settings *settings);      /* --crops, --scales */
int cli_crops_policy(const cli_settings *settings);     /* 1, 10 or 144 */

/* Checks that the arguments are MODEL (absent with --arch) and `fewest` .. `most` more, called `what` in messages.
 * Returns CLI_GO_ON, or reports the error and returns CLI_USAGE. */
int cli_expect(const cli_command *command, const cli_settings *settings, const cli_texts *arguments, int fewest,
               int most, const char *what);

/* The schedules in the form --schedule takes, cut to fit. Returns `text`. */
enum { CLI_SCHEDULE_TEXT = 1024 };
const char *cli_schedule_text(const cli_schedules *schedules, char text[CLI_SCHEDULE_TEXT]);

/* The device that --device and --target name together: "auto", "cpu", "cuda" ... */
const char *cli_device_spec(const cli_settings *settings);
/* Fails on an unknown --target, listing the known ones. */
trib_status cli_open_device(const cli_settings *settings, trib_device **out);

/* A file of this name in the folder of the choice cache, or beside the one of --choice-cache, which it then begins
 * with; NULL if there is none. With `create`, the folder is made, a failure if it cannot be. Release *out with
 * trib_free. */
trib_status cli_cache_file(const cli_settings *settings, const char *name, bool create, char **out);

/* The file for trib_device_options.choices_path; NULL if there is none, and always for devices that do not use it.
 * Creates its folder if anything may be measured, and reports a failure to do so. Release *out with trib_free. */
trib_status cli_choice_cache(const cli_settings *settings, char **out);
/* Called after anything may have been measured. A failure is reported and has no other effect. */
void cli_save_choices(const cli_settings *settings, trib_device *device);

/* Loads the file at `path`, or with --arch (then `path` is NULL) creates a random network. Fills `preprocess` with the
 * model's, changed by the options. */
trib_status cli_load_model(const cli_settings *settings, const char *path, trib_model **out,
                           trib_preprocess *preprocess);

/* Applies the options to the model's own preprocessing. */
trib_status cli_change_preprocess(const cli_settings *settings, const trib_network_spec *net,
                                  trib_preprocess *preprocess);
/* Reports on standard error which preprocessing was guessed and how to set it; nothing if the file, or --mean and
 * --std, specify it. For every command whose results depend on it. */
void cli_say_guess(const cli_settings *settings, const trib_model *model);
/* The options that were given, "--mean, --std"; "" if none. Returns `text`. */
enum { CLI_PREPROCESS_OPTIONS_TEXT = 160 };
const char *cli_preprocess_options(const cli_settings *settings, char text[CLI_PREPROCESS_OPTIONS_TEXT]);

/* Fails on an unknown layout or pass. The input layout is the one the device prefers for images: NHWC if it computes in
 * it, otherwise NCHW. *out points into the settings. */
trib_status cli_plan_options(const cli_settings *settings, trib_device *device, trib_plan_options *out);
/* The same for a session for up to `batch` images. */
trib_status cli_session_options(const cli_settings *settings, trib_device *device, int batch,
                                trib_session_options *out);
/* Whether `device` takes 8-bit pixels, a quarter of the bytes of float32; false with --reference, which begins with
 * float32. */
bool cli_wants_raw_pixels(const cli_settings *settings, const trib_device *device);
/* Makes the plan take 8-bit pixels, so that `device` does the rest of `preprocess`. `normalise` must live as long as
 * `plan` is used. */
void cli_take_raw_pixels(trib_plan_options *plan, const trib_preprocess *preprocess, trib_normalise *normalise);

/* Also saves measurements. The caller releases the model's parameters after creating the last session. */
trib_status cli_create_session(const cli_settings *settings, trib_device *device, const trib_model *model,
                               const trib_session_options *options, trib_session **out);
/* The same for a trainer. */
trib_status cli_create_trainer(const cli_settings *settings, trib_device *device, const trib_model *model,
                               const trib_trainer_options *options, trib_trainer **out);

/* Fails if one of `names` is neither an output nor a layer, suggesting the nearest layer. */
trib_status cli_check_outputs(const trib_graph *graph, const cli_texts *names);

#endif
