# SPDX-License-Identifier: Apache-2.0
# trib_nvidia_packages(OUT): the folders of NVIDIA's Python packages, which PyTorch brings along (nvidia/cudnn, nvidia/cu13
# and so on, each with include/ and lib/). The libraries there have a version in their names, and no link without one.
function(trib_nvidia_packages out)
  find_program(TRIB_PYTHON NAMES python3 python DOC "The Python whose packages may have CUDA's libraries")
  mark_as_advanced(TRIB_PYTHON)
  set(folders "")
  if(TRIB_PYTHON)
    execute_process(COMMAND ${TRIB_PYTHON} -c "import sys; print('\\n'.join(sys.path))"
      OUTPUT_VARIABLE paths ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE TIMEOUT 60)
    string(REPLACE "\n" ";" paths "${paths}")
    foreach(path IN LISTS paths)
      if(path)
        file(GLOB found LIST_DIRECTORIES true "${path}/nvidia/*")
        list(APPEND folders ${found})
      endif()
    endforeach()
  endif()
  set(${out} "${folders}" PARENT_SCOPE)
endfunction()
