# SPDX-License-Identifier: Apache-2.0
# cmake -DFOLDER=page -DOUT=page.c -P embed.cmake: report.html with its style and scripts, as a C array, so that the
# program needs no file.
file(READ ${FOLDER}/report.html page)
file(READ ${FOLDER}/report.css style)
file(READ ${FOLDER}/report.js script)
file(READ ${FOLDER}/module.js module)
string(REPLACE "@STYLE@" "${style}" page "${page}")
string(REPLACE "@SCRIPT@" "${script}${module}" page "${page}")
file(WRITE ${OUT}.html "${page}")
file(READ ${OUT}.html bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "#include \"profile/html_private.h\"\n\nconst unsigned char trib_html_page[] = {${bytes}};
const size_t trib_html_page_size = sizeof trib_html_page;\n")
