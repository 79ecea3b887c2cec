# SPDX-License-Identifier: Apache-2.0
# Which GPUs kernels are built for when nobody says: 80 A100, 90 H100 and H200, 120 RTX 50 where nvcc knows it. (Newer
# cards than the last run what is compiled from its PTX by the driver.)
set(TRIB_CUDA_120_SINCE 12.8)

function(trib_cuda_architectures nvcc_version out)
  set(list 80 90)
  if(nvcc_version VERSION_GREATER_EQUAL TRIB_CUDA_120_SINCE)
    list(APPEND list 120)
  endif()
  set(${out} "${list}" PARENT_SCOPE)
endfunction()

# Why nvcc cannot build for `architectures`, or "".
function(trib_cuda_architectures_refusal nvcc_version architectures out)
  set(${out} "" PARENT_SCOPE)
  foreach(architecture IN LISTS architectures)
    string(REGEX MATCH "^[0-9]+" number "${architecture}")
    if(number GREATER_EQUAL 100 AND nvcc_version VERSION_LESS TRIB_CUDA_120_SINCE)
      set(${out} "nvcc ${nvcc_version} does not know sm_${number}; it needs CUDA ${TRIB_CUDA_120_SINCE} or newer" PARENT_SCOPE)
    elseif(number AND number LESS 80)
      set(${out} "the kernels need sm_80 or newer, not sm_${number}" PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
