/* SPDX-License-Identifier: Apache-2.0
 * What preprocess.cu and regions.cu make of a sample: in one place, so that both give the same bits. */
#ifndef TRIBUTARY_NORMALISE_CUH
#define TRIBUTARY_NORMALISE_CUH

#include <platform.cuh>

__device__ __forceinline__ float normalised(float sample, float scale, float shift) { return sample * scale + shift; }

#endif
