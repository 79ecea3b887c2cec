/* SPDX-License-Identifier: Apache-2.0
 * The file in which a CUDA device keeps compiled plans and the fastest implementations from one run to the next. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "settings.h"
#include "tributary/internal/alloc.h"

static char *join(const char *folder, const char *rest)
{
    size_t size = strlen(folder) + strlen(rest) + 1;
    char *path = trib_alloc(size);
    if (path) snprintf(path, size, "%s%s", folder, rest);
    return path;
}

/* *out: our folder in the user's cache, NULL if the environment names none. Owned by the caller. */
static trib_status usual_folder(char **out)
{
    const char *own = getenv("TRIBUTARY_CACHE_DIR"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *out = NULL;
    if (own && *own)
        *out = join(own, "");
    else if (cache && *cache == '/') /* the XDG specification: ignore relative paths */
        *out = join(cache, "/tributary");
    else if (home && *home)
        *out = join(home, "/.cache/tributary");
    else
        return trib_success();
    return *out ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of the choice cache");
}

/* Creates a folder and its parents. Returns 0 or errno. */
static int make_folder(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        *slash = '/';
        if (failed) return errno;
    }
    if (mkdir(path, 0700) == 0) return 0;
    struct stat found;
    if (errno == EEXIST && stat(path, &found) == 0) return S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
    return errno;
}

/* Only CUDA compiles or measures anything worth a file. */
static bool cuda_available(void)
{
    enum { MOST = 64 };
    trib_device_listing listings[MOST];
    int count = trib_device_list(listings, MOST);
    for (int i = 0; i < count && i < MOST; ++i)
        if (listings[i].available && strncmp(listings[i].spec, "cuda", 4) == 0) return true;
    return false;
}

trib_status cli_choice_cache(const cli_settings *settings, char **out)
{
    char *folder = NULL;
    *out = NULL;
    if (strcmp(cli_device_spec(settings), "cpu") == 0) return trib_success();
    if (settings->choice_cache && strcmp(settings->choice_cache, "none") == 0) return trib_success();
    if (settings->choice_cache) {
        *out = join(settings->choice_cache, "");
        return *out ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of the choice cache");
    }
    TRIB_TRY(usual_folder(&folder));
    if (!folder) return trib_success();
    int error = cuda_available() ? make_folder(folder) : 0;
    if (error && settings->measure)
        cli_message("%s: cannot create this folder: %s; measurements will not be remembered", folder, strerror(error));
    if (!error) *out = join(folder, "/choices.txt");
    trib_free(folder);
    return *out || error ? trib_success()
                         : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of the choice cache");
}

trib_status cli_cache_file(const cli_settings *s, const char *name, bool create, char **out)
{
    char *folder = NULL, tail[128];
    const bool own = s->choice_cache != NULL;
    *out = NULL;
    if (own && strcmp(s->choice_cache, "none") == 0) return trib_success();
    if (!own) TRIB_TRY(usual_folder(&folder));
    if (!own && !folder) return trib_success();
    const int error = create && !own ? make_folder(folder) : 0;
    if (error) {
        trib_status status = TRIB_VENDOR_ERROR(
            TRIB_IO_ERROR, error, "mkdir",
            "%s: cannot create this folder, in which choices are kept: %s; name a file with --choice-cache, or none",
            folder, strerror(error));
        trib_free(folder);
        return status;
    }
    snprintf(tail, sizeof tail, "%s%s", own ? "." : "/", name);
    *out = join(own ? s->choice_cache : folder, tail);
    trib_free(folder);
    return *out ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the name of a file");
}

void cli_save_choices(const cli_settings *settings, trib_device *device)
{
    if (!settings->measure) return; /* nothing new */
    trib_status status = trib_device_save_choices(device);
    if (trib_failed(&status)) cli_message("measurements will not be remembered: %s", status.message);
}
