/* SPDX-License-Identifier: Apache-2.0
 * The tables of shared options. engine.c acts on them. */
#include "settings.h"

#include "tables.h"

#define AT(field) offsetof(cli_settings, field)

static const cli_option compute_options[] = {
    { 0, "device", CLI_TEXT, AT(device), "SPEC", "where to compute: auto (default), cpu, cuda or cuda:N", 0, 0 },
    { 0, "schedule", CLI_SCHEDULES, AT(schedule), "SCHEDULE[,FORK=SCHEDULE]...",
      "serial: one stream (default); branches: one stream per branch of a module; fused: the 1x1 convolutions that "
      "read a module's input as one op, then the large convolutions side by side. For all modules, or for those named: "
      "fused,inception_3a=serial,inception_4*=branches; may be repeated, and the last that names a module counts. "
      "inception_3a=1110-0112: in stages, each with the number of layers of each branch that run side by side; with / "
      "in place of -, all of a stage ends before the next begins ('tributary plan --explain' names the layers). auto: "
      "what 'tributary tune' found to be fastest here for the same batch size; serial if it has not been measured",
      0, 0 },
    { 0, "launch", CLI_CHOICE, AT(launch), "eager|graph",
      "issue ops one by one (default), or record them once and replay the recording", 0, 0 },
    { 0, "precision", CLI_CHOICE, AT(precision), "fp32|tf32|fp16|bf16",
      "element type of activations and products; sums are always fp32, in training weights, too: fp32 (default); tf32 "
      "rounds factors to 10 bits; "
      "fp16 and bf16 halve the memory; 'tributary devices' lists what each device supports",
      0, 0 },
    { 0, "layout", CLI_CHOICE, AT(layout), "auto|nhwc|blocked",
      "memory layout of activations; auto (default) is the device's best", 0, 0 },
    { 0, "threads", CLI_INT, AT(threads), "N",
      "cores to compute on, at most those this process may use ('tributary devices' shows how many); default: all of "
      "them, or OMP_NUM_THREADS if lower",
      1, 4096 },
    { 0, "lanes", CLI_INT, AT(lanes), "N",
      "parts of a batch computed side by side, each on its share of the cores; default: automatic", 1, 4096 },
    { 0, "memory-limit", CLI_BYTES, AT(memory_limit), "BYTES", "limit of device memory, such as 512M; default: none", 0,
      0 },
    { 0, "reference", CLI_FLAG, AT(reference), NULL,
      "run every op in plain C: slow; all other implementations are tested against it", 0, 0 },
    { 0, "measure", CLI_FLAG, AT(measure), NULL,
      "time the implementations of each op instead of ranking them; 'tributary plan --explain' shows the times", 0, 0 },
    { 0, "choice-cache", CLI_FILE_OUT, AT(choice_cache), "FILE|none",
      "cuda: keep compiled convolutions and the results of --measure in FILE for later runs; default: "
      "choices.txt in $TRIBUTARY_CACHE_DIR, $XDG_CACHE_HOME/tributary or ~/.cache/tributary",
      0, 0 },
    { 0, "disable-pass", CLI_TEXTS, AT(disabled_passes), "NAME",
      "skip a lowering pass ('tributary plan --explain' lists them); may be repeated", 0, 0 },
};

static const cli_option target_options[] = {
    { 0, "target", CLI_TEXT, AT(target), "NAME",
      "plan for this card, such as h200, which need not be in this machine; implies --device cuda; 'tributary devices' "
      "lists the cards",
      0, 0 },
};

static const cli_option order_options[] = {
    { 0, "fast", CLI_FLAG, AT(fast), NULL,
      "training may sum in an order that differs from run to run, where the device is faster so: a run that is "
      "repeated "
      "or resumed then differs in bits. CUDA: some of cuDNN's gradients in fp32; on a cpu, nothing",
      0, 0 },
};

static const cli_option size_options[] = {
    { 0, "img-size", CLI_INT, AT(image_size), "N", "input of N x N pixels; default: the model's own size", 1, 65535 },
};

/* Not constant: --arch lists the networks there are. */
static cli_option random_options[] = {
    { 0, "arch", CLI_TEXT, AT(arch), "NAME", NULL, 0, 0 },
    { 0, "classes", CLI_INT, AT(classes), "N", "with --arch: number of classes; default: what the network was made for",
      1, 1000000 },
    { 0, "width-multiplier", CLI_REAL, AT(width_multiplier), "X",
      "with --arch: scale channel counts by X, rounded to a multiple of 8; default 1", 0, 16 },
    { 0, "aux", CLI_FLAG, AT(aux), NULL, "keep the auxiliary classifiers: outputs aux1 and aux2", 0, 0 },
    { 0, "seed", CLI_INT, AT(seed), "N", "with --arch: seed of the random numbers; default 1", 0, 2147483647 },
};

static const cli_option decode_options[] = {
    { 0, "max-pixels", CLI_COUNT, AT(decode.max_pixels), "N",
      "skip images with more than N pixels, such as 500M; default: 178956970, PIL's limit", 0, 0 },
    { 0, "loader-memory", CLI_BYTES, AT(loader_memory), "BYTES",
      "memory for reading and decoding images, such as 2G, all threads together; a single image may take five eighths; "
      "default: half of what the process may use ('tributary devices' shows it)",
      0, 0 },
    { 0, "apply-orientation", CLI_FLAG, AT(decode.apply_orientation), NULL,
      "turn photos upright according to their EXIF data; models are usually trained without", 0, 0 },
};

static const cli_option preprocess_options[] = {
    { 0, "crop-pct", CLI_REAL, AT(crop_pct), "X", "resize to the input size divided by X, then crop; 0.875 is usual", 0,
      1 },
    { 0, "crop-mode", CLI_CHOICE, AT(crop_mode), "center|squash",
      "center: resize the short side and keep the aspect ratio; squash: resize to a square; both then crop the centre",
      0, 0 },
    { 0, "interpolation", CLI_CHOICE, AT(interpolation), "bilinear|bicubic|nearest|area",
      "how to resize; results match PIL", 0, 0 },
    { 0, "resample-order", CLI_CHOICE, AT(resample_order), "horizontal-first|cheaper-first",
      "order of the two resizing passes: as in Pillow up to 12 (default, unless the model says otherwise) or as in "
      "Pillow 13; results differ on tall images",
      0, 0 },
    { 0, "mean", CLI_TRIPLE, AT(mean), "A,B,C",
      "subtracted per channel, in the channel order and value range of the model ('tributary info' shows both)", 0, 0 },
    { 0, "std", CLI_TRIPLE, AT(std), "A,B,C", "divisor per channel, applied after the mean", 0, 0 },
    { 0, "channels", CLI_CHOICE, AT(channels), "rgb|bgr", "channel order of the network's input", 0, 0 },
};

static const cli_option crops_options[] = {
    { 0, "crops", CLI_CHOICE, AT(crops), "1|10|144",
      "parts of an image whose probabilities are averaged: 1 (default), the model's own preprocessing; 10, corners and "
      "centre of the centre square, each also mirrored; 144, as in the paper: of four scales three squares each, of "
      "each its corners, its centre and all of it, each also mirrored. Parts that coincide are computed once. 10 and "
      "144 need a square input, keep the image's aspect even if the model squashes it, and are not for --crop-pct and "
      "--crop-mode",
      0, 0 },
    { 0, "scales", CLI_INTS, AT(scales), "N,...",
      "lengths of the image's short side after it is resized, 1 to 8, none below the input size; default: 256, 288, "
      "320 and 352 times input size / 224. 10 crops take the smallest; 144 are 36 for each scale",
      1, 65535 },
};

static const cli_option caffe_options[] = {
    { 0, "prototxt", CLI_FILE_IN, AT(prototxt), "FILE",
      "a Caffe model's network as text: compared with the network, and read for size, mean and scale", 0, 0 },
    { 0, "mean-file", CLI_FILE_IN, AT(mean_file), "FILE",
      "a Caffe model's mean image (.binaryproto), of which the mean of each channel is subtracted", 0, 0 },
};

cli_settings cli_default_settings(void)
{
    return (cli_settings) { .device = "auto",
                            .seed = 1,
                            .crop_mode = CLI_NOT_GIVEN,
                            .interpolation = CLI_NOT_GIVEN,
                            .resample_order = CLI_NOT_GIVEN,
                            .channels = CLI_NOT_GIVEN };
}

cli_group cli_compute_group(cli_settings *settings)
{
    return (cli_group)CLI_GROUP("Computing", compute_options, settings);
}
cli_group cli_swept_compute_group(cli_settings *settings)
{
    static cli_option rest[sizeof compute_options / sizeof *compute_options];
    cli_group group = { .title = "Computing", .options = rest, .target = settings };
    for (size_t i = 0; i < sizeof compute_options / sizeof *compute_options; ++i) {
        const size_t at = compute_options[i].offset;
        if (at != AT(schedule) && at != AT(launch) && at != AT(precision)) rest[group.count++] = compute_options[i];
    }
    return group;
}

/* For commands that take several models: what one is given for all, each may be given. */
static const cli_option members_options[] = {
    { 0, "device", CLI_TEXTS, AT(devices), "SPEC,...",
      "where to compute: auto (default), cpu, cuda or cuda:N; one for all models, or one for each", 0, 0 },
    { 0, "precision", CLI_CHOICES, AT(precisions), "fp32|tf32|fp16|bf16",
      "element type of activations and products, one for all models or one for each; sums are always fp32: fp32 "
      "(default); tf32 rounds factors to 10 bits; fp16 and bf16 halve the memory; 'tributary devices' lists what each "
      "device supports",
      0, 0 },
};

cli_group cli_members_compute_group(cli_settings *settings)
{
    enum { ALL = sizeof compute_options / sizeof *compute_options };
    static cli_option own[ALL];
    for (int i = 0; i < ALL; ++i) {
        const size_t at = compute_options[i].offset;
        own[i] = at == AT(device) ? members_options[0] : at == AT(precision) ? members_options[1] : compute_options[i];
    }
    return (cli_group)CLI_GROUP("Computing", own, settings);
}

cli_group cli_target_group(cli_settings *settings)
{
    return (cli_group)CLI_GROUP("A card of another machine", target_options, settings);
}
cli_group cli_order_group(cli_settings *settings)
{
    return (cli_group)CLI_GROUP("Order of sums", order_options, settings);
}
cli_group cli_size_group(cli_settings *settings) { return (cli_group)CLI_GROUP("Input size", size_options, settings); }

cli_group cli_random_group(cli_settings *settings)
{
    static char help[1024];
    random_options[0].help = cli_table_help(help, sizeof help, "instead of MODEL, a network with random parameters",
                                            ", ", cli_network_names);
    return (cli_group)CLI_GROUP("Random network", random_options, settings);
}
cli_group cli_decode_group(cli_settings *settings)
{
    return (cli_group)CLI_GROUP("Reading images", decode_options, settings);
}
cli_group cli_caffe_group(cli_settings *settings)
{
    return (cli_group)CLI_GROUP("Files that Caffe's models come with", caffe_options, settings);
}
cli_group cli_crops_group(cli_settings *settings)
{
    return (cli_group)CLI_GROUP("Several crops of an image", crops_options, settings);
}
int cli_crops_policy(const cli_settings *settings)
{
    static const int policies[] = { 1, 10, 144 };
    return policies[settings->crops];
}
cli_group cli_preprocess_group(cli_settings *settings)
{
    return (cli_group)CLI_GROUP("Preprocessing, in place of what 'tributary info MODEL' shows", preprocess_options,
                                settings);
}

int cli_expect(const cli_command *command, const cli_settings *settings, const cli_texts *arguments, int fewest,
               int most, const char *what)
{
    bool random = settings->arch != NULL;
    if (random && !trib_network_find(settings->arch))
        return cli_not_in_table(command, "arch", settings->arch, cli_network_names);
    if (!random && (settings->classes || settings->width_multiplier > 0))
        return cli_usage(command, "--classes and --width-multiplier describe a random network: add --arch");
    if (!random && arguments->count == 0) return cli_usage(command, "which MODEL? Name a model file (safetensors)");
    int more = arguments->count - !random;
    if (more < fewest) return cli_usage(command, "which %s?", what);
    if (more <= most) return CLI_GO_ON;
    return cli_usage(command, "'%s' is one argument too many%s", arguments->items[most + !random],
                     random && most == 0 ? "; with --arch there is no MODEL" : "");
}
