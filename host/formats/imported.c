/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/imported.h"

#include "model/metadata.h"

trib_status trib_imported_finish(trib_imported *imported, const trib_preprocess *preprocess, trib_weights_file *file)
{
    if (preprocess) trib_metadata_write_preprocessing(preprocess, &imported->preprocessing);
    if (imported->labels.failed || imported->preprocessing.failed || imported->provenance.failed ||
        imported->note.failed || imported->assumed.failed)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its metadata");
    if (imported->assumed.size) file->assumed = imported->assumed.bytes;
    file->metadata = imported->pairs;
    file->metadata_count = 0; /* in the order of the keys */
    if (imported->labels.size)
        imported->pairs[file->metadata_count++] = (trib_key_value) { "tributary.labels", imported->labels.bytes };
    if (imported->note.size)
        imported->pairs[file->metadata_count++] = (trib_key_value) { "tributary.note", imported->note.bytes };
    if (preprocess)
        imported->pairs[file->metadata_count++] =
            (trib_key_value) { "tributary.preprocessing", imported->preprocessing.bytes };
    imported->pairs[file->metadata_count++] = (trib_key_value) { "tributary.provenance", imported->provenance.bytes };
    if (imported->variant)
        imported->pairs[file->metadata_count++] =
            (trib_key_value) { "tributary.variant", trib_network_name(imported->variant) };
    return trib_success();
}

void trib_imported_release(trib_imported *imported)
{
    trib_text_free(&imported->labels);
    trib_text_free(&imported->preprocessing);
    trib_text_free(&imported->provenance);
    trib_text_free(&imported->assumed);
    trib_text_free(&imported->note);
}
