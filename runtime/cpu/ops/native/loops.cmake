# SPDX-License-Identifier: Apache-2.0
# The vectorised loops, once per instruction set; which one runs is decided at run time. Contraction is off, so that all
# give the same bits; square roots set no errno, so that they are vectorised.
set(loops cpu/ops/native/loops)
set(loops_flags $<$<NOT:$<CONFIG:Debug>>:-O3> -ffp-contract=off -fno-math-errno)
set_source_files_properties(${loops}_single.c ${loops}_baseline.c PROPERTIES COMPILE_OPTIONS "${loops_flags}")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set_source_files_properties(${loops}.c PROPERTIES COMPILE_DEFINITIONS TRIB_X86_LOOPS)
  set_source_files_properties(${loops}_avx2.c PROPERTIES COMPILE_OPTIONS "${loops_flags};-mavx2")
  set_source_files_properties(${loops}_avx512.c PROPERTIES COMPILE_OPTIONS
    "${loops_flags};-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mprefer-vector-width=512")
else()
  list(FILTER sources EXCLUDE REGEX "/loops_avx(2|512)\\.c$")
endif()
