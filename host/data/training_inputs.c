/* SPDX-License-Identifier: Apache-2.0
 * Where the images for training and for validation are, by the names that data sets have. */
#include <string.h>
#include <sys/stat.h>

#include "data/file.h"
#include "data/input.h"
#include "data/training_set.h"
#include "tributary/internal/alloc.h"

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* The first `length` bytes of `begin`, then the other two; NULL: no memory. */
static char *join(const char *begin, size_t length, const char *middle, const char *end)
{
    size_t m = strlen(middle), n = strlen(end);
    char *text = trib_alloc(length + m + n + 1);
    if (!text) return NULL;
    memcpy(text, begin, length);
    memcpy(text + length, middle, m);
    memcpy(text + length + m, end, n + 1);
    return text;
}

/* Takes `path`, a copy; gives it to *out if `there` says that it exists. */
static trib_status keep_if(char *path, bool (*there)(const char *path), char **out)
{
    *out = NULL;
    if (!path) return trib_no_memory("inputs");
    if (there(path))
        *out = path;
    else
        trib_free(path);
    return trib_success();
}

static trib_status find_in_folder(const char *path, const char *name, bool (*there)(const char *path), char **out)
{
    return keep_if(join(path, strlen(path), trib_ends_with(path, "/") ? "" : "/", name), there, out);
}

/* Both parts of a folder with train and val in it, or test if that is all; *found = false: it is another kind of
 * folder. */
static trib_status add_split_folder(const char *path, bool validate, trib_training_inputs *out, bool *found)
{
    static const char *const names[] = { "val", "validation", "valid", "test" };
    char *train = NULL, *val = NULL;
    trib_status s = find_in_folder(path, "train", is_folder, &train);
    for (size_t i = 0; i < sizeof names / sizeof *names && train && !val && !trib_failed(&s); ++i)
        s = find_in_folder(path, names[i], is_folder, &val);
    *found = train && val;
    if (*found && !trib_failed(&s)) {
        s = trib_names_add(&out->parts[TRIB_TRAINING], train, "inputs");
        train = NULL;
        if (validate && !trib_failed(&s)) {
            s = trib_names_add(&out->parts[TRIB_VALIDATION], val, "inputs");
            out->paired = true;
            val = NULL;
        }
    }
    trib_free(train);
    trib_free(val);
    return s;
}

/* The path with the last "train" of its file name replaced. */
static trib_status find_renamed(const char *path, const char *name, char **out)
{
    const char *base = trib_base_name(path), *at = NULL;
    for (const char *next = base; (next = strstr(next, "train")); ++next) at = next;
    *out = NULL;
    if (!at || !strstr(at, "images")) return trib_success();
    return keep_if(join(path, (size_t)(at - path), name, at + strlen("train")), is_file, out);
}

/* MNIST and its kin: train-images-idx3-ubyte.gz and t10k-images-idx3-ubyte.gz. */
static trib_status add_test_images(const char *path, trib_training_inputs *out)
{
    static const char *const names[] = { "t10k", "test" };
    char *test = NULL;
    if (!is_file(path)) return trib_success();
    for (size_t i = 0; i < 2 && !test; ++i) TRIB_TRY(find_renamed(path, names[i], &test));
    if (!test) return trib_success();
    out->paired = true;
    return trib_names_add(&out->parts[TRIB_VALIDATION], test, "inputs");
}

static trib_status find_idx_in_folder(const char *path, char **out)
{
    static const char *const names[] = { "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz" };
    *out = NULL;
    for (size_t i = 0; i < 2 && !*out; ++i) TRIB_TRY(find_in_folder(path, names[i], is_file, out));
    return trib_success();
}

static trib_status add_input(const char *path, bool validate, trib_training_inputs *out)
{
    bool split = false, folder = is_folder(path);
    char *input = NULL;
    if (folder) TRIB_TRY(add_split_folder(path, validate, out, &split));
    if (split) return trib_success();
    if (folder) TRIB_TRY(find_idx_in_folder(path, &input));
    if (!input) input = trib_strdup(path);
    TRIB_TRY(trib_names_add(&out->parts[TRIB_TRAINING], input, "inputs"));
    return validate ? add_test_images(input, out) : trib_success();
}

trib_status trib_training_inputs_find(const char *const *inputs, int count, const trib_training_set_options *options,
                                      trib_training_inputs *out)
{
    trib_training_inputs found = { 0 };
    bool beside = !options->validation && options->validation_share == 0;
    trib_status s = trib_success();
    for (int i = 0; i < count && !trib_failed(&s); ++i) s = add_input(inputs[i], beside, &found);
    for (int i = 0; i < options->validation_count && options->validation && !trib_failed(&s); ++i)
        s = trib_names_add(&found.parts[TRIB_VALIDATION], trib_strdup(options->validation[i]), "inputs");
    if (trib_failed(&s))
        trib_training_inputs_free(&found);
    else
        *out = found;
    return s;
}

void trib_training_inputs_free(trib_training_inputs *inputs)
{
    for (int p = 0; p < TRIB_PARTS; ++p) trib_names_free(&inputs->parts[p]);
}
