// SPDX-License-Identifier: Apache-2.0
// A run folder in a test.
#pragma once

#include <memory>

#include "train/checkpoints.h"
#include "train/run_folder.h"

namespace runs
{

using Run = std::unique_ptr<trib_run_folder, void (*)(trib_run_folder *)>;

inline trib_status open(const std::string &path, bool resume, Run &out, int keep = 2)
{
    trib_run_folder *run = nullptr;
    const trib_run_options options = { resume, keep };
    trib_status s = trib_run_folder_open(path.c_str(), &options, &run);
    EXPECT_EQ(run == nullptr, trib_failed(&s));
    out = Run(run, trib_run_folder_close);
    return s;
}

inline Run opened(const std::string &path, bool resume, int keep = 2)
{
    Run run(nullptr, trib_run_folder_close);
    EXPECT_OK(open(path, resume, run, keep));
    return run;
}

inline const trib_run_setting settings[] = { { "model", "googlenet", 0 }, { "batch_size", nullptr, 32 } };

inline trib_status write_args(trib_run_folder *run)
{
    const char *command[] = { "tributary", "train", "caf\xC3\xA9/\xFF\"", "-o", "RUN" };
    return trib_run_folder_write_args(run, command, 5, settings, 2);
}

// A new run in `path`.
inline Run begun(const std::string &path, int keep = 2)
{
    Run run = opened(path, false, keep);
    if (run) EXPECT_OK(write_args(run.get()));
    return run;
}

inline trib_status save(trib_run_folder *run, int step, bool best = false, std::size_t values = 3)
{
    checkpoints::State state(step, values);
    const trib_key_value variant = { "tributary.variant", "torchvision" };
    const trib_run_checkpoint what = { step, best, state.tensors.data(), int(state.tensors.size()), &variant, 1 };
    return trib_run_folder_save(run, &what);
}

// The step of the newest checkpoint that can be loaded; -1: there is none, -2: failed.
inline std::int64_t newest(trib_run_folder *run, std::string *passed_over = nullptr, trib_status *status = nullptr)
{
    trib_text text = {};
    trib_checkpoint *found = nullptr;
    trib_status s = trib_run_folder_newest(run, &text, &found);
    if (passed_over) *passed_over = text.bytes ? text.bytes : "";
    if (status) *status = s;
    if (!status) EXPECT_OK(s);
    const std::int64_t step = trib_failed(&s) ? -2 : found ? trib_run_step(found) : -1;
    if (found) checkpoints::State(int(step), 3).expect_in(found);
    trib_checkpoint_close(found);
    trib_text_free(&text);
    return step;
}

} // namespace runs
