/* SPDX-License-Identifier: Apache-2.0
 * Files of torch.save as files of weights: an object as a pickle, and storages beside it.
 *
 *   torch_zip.c      since 1.6: a zip archive
 *   torch_legacy.c   0.1.11 to 1.5: pickles, then data
 *   torch_tar.c      before that: a tar archive
 *   torch_find.c     where in the object the weights are
 *   torch_network.c  which of them are a network's
 *   torch_tensor.c   a tensor: storage, sizes, strides
 *   torch_storage.c  elements under a key
 *   torch_load.c     a tensor's elements
 *   torch_driver.c   the drivers */
#ifndef TRIBUTARY_FORMATS_TORCH_PRIVATE_H
#define TRIBUTARY_FORMATS_TORCH_PRIVATE_H

#include "formats/imported.h"
#include "formats/pickle.h"
#include "formats/text.h"
#include "formats/weights_file.h"
#include "formats/zip.h"

/* An optimiser's state of a network has a thousand tensors; a name of PyTorch's has 40 bytes. */
enum { TRIB_TORCH_MAX_TENSORS = 100000, TRIB_TORCH_MAX_NAME = 255, TRIB_TORCH_MAX_PICKLE = 32 << 20 };
/* A pickle that is compressed has at most this, and 16 times its compressed size. */
enum { TRIB_TORCH_PACKED_PICKLE = 1 << 20 };

/* Memory that tensors may take beyond the file: elements can be repeated (stride 0) or compressed. */
#define TRIB_TORCH_SPARE_BYTES ((int64_t)32 << 20)

/* Elements under one key. */
typedef struct trib_torch_storage {
    int64_t number;     /* in a tar archive; 0 in others */
    uint32_t id;        /* the tuple that describes it */
    uint32_t key, type; /* a string, a name */
    int dtype;          /* trib_dtype, or -1: elements that no trib_dtype describes */
    int item;           /* bytes of an element; 0: not known */
    int64_t count;      /* elements */
    int64_t at;         /* offset of its bytes in a file without members; -1: not there */
} trib_torch_storage;

enum { TRIB_TORCH_NO_STORAGE = -1 };
/* Where the elements of a tensor are; beside the trib_tensor of the same index. Numbers are elements of `dtype`. */
typedef struct trib_torch_view {
    int storage;      /* TRIB_TORCH_NO_STORAGE: none that is supported */
    uint32_t value;   /* of the pickle, if there is no storage */
    trib_dtype dtype; /* in the file; f64 is converted to f32 */
    int64_t offset, stride[TRIB_MAX_RANK];
} trib_torch_view;

/* A tensor of a tar archive, by its number. */
typedef struct trib_torch_stored {
    int64_t number;
    trib_tensor tensor; /* without name and data */
    trib_torch_view view;
} trib_torch_stored;

typedef struct trib_torch_file {
    trib_weights_file base;
    char *path;
    trib_blob blob;     /* open until the data is read */
    void *piped;        /* what a pipe had, all of it; NULL: a file or the caller's memory */
    char *pickle_bytes; /* with what belongs to it, until the data is read */
    trib_pickle pickle; /* of the object */
    trib_zip zip;       /* without members: a legacy file */
    char *folder;       /* of the archive's members, with its '/'; "" if there is none */
    bool big_endian;
    trib_torch_storage *storages; /* sorted by key */
    int storage_count;
    size_t storage_capacity;
    trib_torch_stored *stored; /* of a tar archive, sorted by number */
    int stored_count;
    size_t stored_capacity;
    trib_torch_view *views;
    void **blocks; /* memory of the tensors' data */
    bool lends;    /* some data is where the pipe's bytes are */
    size_t tensor_capacity, view_capacity;
    size_t steps;           /* of the search for weights */
    trib_text names;        /* one after the other, until each tensor has its own */
    trib_imported imported; /* its note: where the weights were found */
} trib_torch_file;

/* Open a file of their kind; `file` has its blob. Messages do not name the file. */
trib_status trib_torch_open_zip(trib_torch_file *file);
trib_status trib_torch_open_legacy(trib_torch_file *file);
trib_status trib_torch_open_tar(trib_torch_file *file);

/* Lists the storages that the pickle refers to. Each has one key, one type and one count wherever it is named. */
trib_status trib_torch_list_storages(trib_torch_file *file);
/* Sets the element type from a class of torch, the name `type`. */
void trib_torch_set_class(const trib_pickle *pickle, uint32_t type, trib_torch_storage *storage);
/* Index of a storage by its key; -1: none. */
int trib_torch_find_storage(const trib_torch_file *file, const char *key, uint32_t size);
/* Offset of the bytes of a storage in the file; *packed: the member to be unpacked, NULL if they are stored. Fails
 * if there are fewer bytes than it needs. */
trib_status trib_torch_locate(trib_torch_file *file, const trib_torch_storage *storage, int64_t *at,
                              const trib_zip_member **packed);

/* Whether a value of the pickle stands for a tensor of any kind. */
bool trib_torch_is_tensor(const trib_torch_file *file, uint32_t value);
/* Describes the tensor that `value` stands for; messages do not name it. */
trib_status trib_torch_describe(const trib_torch_file *file, uint32_t value, trib_tensor *tensor,
                                trib_torch_view *view);

/* The tensor of a tar archive that `value` refers to; NULL: none. */
const trib_torch_stored *trib_torch_find_stored(const trib_torch_file *file, uint32_t value);
/* Whether some element is not among the `room` elements of its storage. */
bool trib_torch_reaches_outside(const trib_shape *shape, const trib_torch_view *view, int64_t room);

/* Finds the weights in the object, and lists them. */
trib_status trib_torch_list_tensors(trib_torch_file *file);
/* Leaves off the list what is not the network's, and says so. What no network is, stays. All that stay are supported.
 */
trib_status trib_torch_keep_network(trib_torch_file *file);
/* Adds to the note: `what` and `name`. */
void trib_torch_say(trib_torch_file *file, const char *what, const char *name);

trib_status trib_torch_load(trib_torch_file *file, trib_tensor_wanted wanted, const void *context);
void trib_torch_release_data(trib_torch_file *file);

#endif
