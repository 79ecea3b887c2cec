# SPDX-License-Identifier: Apache-2.0
# A man page for the program and for each of its commands, made from --help when the program is built.
if("MAN" IN_LIST TRIB_WITHOUT OR CMAKE_CROSSCOMPILING)
  trib_report(help2man "" "man pages" "")
  return()
endif()
find_program(HELP2MAN help2man)
mark_as_advanced(HELP2MAN)
if(NOT HELP2MAN)
  trib_report(help2man "" "man pages" help2man)
  return()
endif()
execute_process(COMMAND ${HELP2MAN} --version OUTPUT_VARIABLE text ERROR_QUIET)
string(REGEX MATCH "[0-9]+\\.[0-9.]+" help2man_version "${text}")
trib_report(help2man "${help2man_version}" "man pages" help2man)

set(script ${CMAKE_CURRENT_LIST_DIR}/man_pages.sh)
set(pages ${PROJECT_BINARY_DIR}/man)
add_custom_command(OUTPUT ${pages}/tributary.1 COMMAND sh ${script} $<TARGET_FILE:tributary> ${pages}
  DEPENDS tributary ${script} COMMENT "Making man pages" VERBATIM)
add_custom_target(man ALL DEPENDS ${pages}/tributary.1)
install(DIRECTORY ${pages}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN *.1)
