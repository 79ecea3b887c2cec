/* SPDX-License-Identifier: Apache-2.0
 * torch.save since 1.6: a zip archive with one folder, in it data.pkl, data/KEY, and byteorder. */
#include <string.h>

#include "formats/torch_private.h"
#include "tributary/internal/alloc.h"

#define BAD(...) TRIB_ERROR(TRIB_BAD_DATA, __VA_ARGS__)

static const char leaf[] = "data.pkl";

/* Whether a member is called `leaf` in some folder. */
static bool is_called(const trib_zip_member *m, const char *name)
{
    const size_t length = strlen(name);
    if (m->name_length < length || strcmp(m->name + m->name_length - length, name)) return false;
    return m->name_length == length || m->name[m->name_length - length - 1] == '/';
}

/* Whether there are arrays of NumPy and nothing else. */
static bool is_numpy(const trib_zip *zip)
{
    static const char end[] = ".npy";
    for (int i = 0; i < zip->count; ++i) {
        const trib_zip_member *m = &zip->members[i];
        if (m->name_length < sizeof end || strcmp(m->name + m->name_length - (sizeof end - 1), end) != 0) return false;
    }
    return zip->count > 0;
}

/* The folder of the member data.pkl. */
static trib_status find_folder(trib_torch_file *file)
{
    const trib_zip_member *found = NULL;
    for (int i = 0; i < file->zip.count; ++i) {
        const trib_zip_member *m = &file->zip.members[i];
        if (!is_called(m, leaf)) continue;
        if (found) return BAD("the zip archive has two pickles, %.80s and %.80s", found->name, m->name);
        found = m;
    }
    if (!found && is_numpy(&file->zip))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "is a NumPy archive (.npz); save its arrays as safetensors: "
                                            "safetensors.numpy.save_file(dict(numpy.load(FILE)), OUT)");
    if (!found)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "is a zip archive without data.pkl, so torch.save did not write it; unpack it");
    file->folder = trib_strdup(found->name);
    if (!file->folder) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a folder");
    file->folder[found->name_length - strlen(leaf)] = '\0';
    return trib_success();
}

/* *member is NULL if there is none. */
static trib_status find_in_folder(const trib_torch_file *file, const char *name, const trib_zip_member **member)
{
    trib_text path = { 0 };
    trib_text_add(&path, file->folder);
    trib_text_add(&path, name);
    trib_status s = path.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a member's name") : trib_success();
    if (!path.failed) *member = trib_zip_find(&file->zip, path.bytes);
    trib_text_free(&path);
    return s;
}

#define SAVE_STATE "torch.save(model.state_dict(), ...)"
#define EXPORTED_PROGRAM \
    "is an exported program of PyTorch (.pt2); save the weights of the model it was made from: " SAVE_STATE

/* Zip archives of other kinds, told by a member. */
static const struct {
    const char *member, *what;
} others[] = {
    { "constants.pkl", "is TorchScript, a program; save its weights: " SAVE_STATE },
    { "code/", "is TorchScript, a program; save its weights: " SAVE_STATE },
    { "archive_format", EXPORTED_PROGRAM },
    { "models/model.json", EXPORTED_PROGRAM },
    { "serialized_exported_program.json", EXPORTED_PROGRAM },
    { "model.weights.h5", "is a Keras model; export it to ONNX: model.export(OUT, format=\"onnx\")" },
};

static trib_status check_kind(const trib_torch_file *file)
{
    for (int i = 0; i < file->zip.count; ++i)
        for (size_t k = 0; k < sizeof others / sizeof *others; ++k)
            if (is_called(&file->zip.members[i], others[k].member))
                return TRIB_ERROR(TRIB_UNSUPPORTED, "%s", others[k].what);
    return trib_success();
}

static trib_status read_byte_order(trib_torch_file *file)
{
    enum { LONGEST = 6 };
    const trib_zip_member *m = NULL;
    char *text = NULL;
    TRIB_TRY(find_in_folder(file, "byteorder", &m));
    if (!m) return trib_success(); /* before 2.1: little */
    TRIB_TRY(trib_zip_take(&file->blob, m, LONGEST, &text));
    const bool little = !strcmp(text, "little");
    file->big_endian = !strcmp(text, "big");
    trib_free(text);
    return little || file->big_endian ? trib_success()
                                      : BAD("its byteorder is neither 'little' nor 'big'; the file is damaged");
}

static trib_status read_pickle(trib_torch_file *file)
{
    const trib_zip_member *m = NULL;
    int64_t limit = TRIB_TORCH_MAX_PICKLE;
    TRIB_TRY(find_in_folder(file, leaf, &m));
    if (m->method && m->packed < (limit - TRIB_TORCH_PACKED_PICKLE) / 16)
        limit = TRIB_TORCH_PACKED_PICKLE + 16 * m->packed;
    TRIB_TRY(trib_zip_take(&file->blob, m, limit, &file->pickle_bytes));
    return trib_pickle_read(file->pickle_bytes, (size_t)m->size, &file->pickle);
}

trib_status trib_torch_open_zip(trib_torch_file *file)
{
    TRIB_TRY(trib_zip_read_directory(&file->blob, &file->zip));
    TRIB_TRY(check_kind(file));
    TRIB_TRY(find_folder(file));
    TRIB_TRY(read_byte_order(file));
    TRIB_TRY(read_pickle(file));
    TRIB_TRY(trib_torch_list_storages(file));
    return trib_torch_list_tensors(file);
}
