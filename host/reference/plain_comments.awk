# SPDX-License-Identifier: Apache-2.0
# Doxygen's filter for public headers: turns their ordinary comments into documentation, so that headers need no markup.
#
#     the first comment             describes the file; the licence and "Tributary: " are left out
#     ---- memory ----              begins a section
#     a comment on its own lines    describes what follows, unless an empty line follows
#     a comment behind code         describes that code
#
# Text is literal but for `code`: what Doxygen would interpret is escaped. Names of functions, types and constants become
# links, so Doxygen warns about names that do not exist. Indented lines are an example in C if one ends in a semicolon,
# else a table.

# Escapes prose, and links the names in it.
function prose(text,    out, name)
{
    gsub(/[\\@<>&#%*$|\[\]]/, "\\\\&", text)
    gsub(/--/, "\\--", text)
    gsub(/ \.\.\.? /, " \\&hellip; ", text) # neither a range nor an abbreviation ends the first sentence
    gsub(/e\.g\. /, "e.g.\\ ", text)
    while (match(text, /(trib|TRIB)_[A-Za-z0-9_]*[A-Za-z0-9]/)) {
        name = substr(text, RSTART, RLENGTH)
        out = out substr(text, 1, RSTART - 1)
        text = substr(text, RSTART + RLENGTH)
        # "#f(a, b)" would be looked for with these arguments
        out = out (text ~ /^\(/ ? "@ref " name " \"" name "\"" : "#" name)
    }
    return out text
}

# `code` stays as it is; the prose around it is escaped. `in_code`: a span may go on in the next line.
function spans(text,    parts, count, i, out)
{
    count = split(text, parts, "`")
    for (i = 1; i <= count; ++i) {
        if (i > 1) { in_code = !in_code; out = out "`" }
        out = out (in_code ? parts[i] : prose(parts[i]))
    }
    return out
}

# The documentation in lines 1 .. count of `lines`.
function document(lines, count,    i, j, out, block, is_code)
{
    in_code = 0
    out = ""
    for (i = 1; i <= count; ++i) {
        if (lines[i] !~ /^  +[^ ]/) { out = out spans(lines[i]) "\n"; continue }
        block = ""
        is_code = 0
        for (j = i; j <= count && lines[j] ~ /^(  .*)?$/; ++j) {
            block = block lines[j] "\n"
            if (lines[j] ~ /[;{]( *\/\/.*)?$/) is_code = 1
        }
        i = j - 1
        out = out (is_code ? "@code{.c}\n" : "@verbatim\n") block (is_code ? "@endcode\n" : "@endverbatim\n")
    }
    sub(/\n+$/, "", out)
    return out
}

# Splits a comment, "/*" to "*/", into lines without their borders; returns their number.
function unwrap(comment, lines,    count, i)
{
    sub(/^[ \t]*\/\*[ \t]?/, "", comment)
    sub(/[ \t]*\*\/[ \t]*$/, "", comment)
    count = split(comment, lines, "\n")
    for (i = 2; i <= count; ++i)
        if (lines[i] ~ /^[ \t]*\*/) sub(/^[ \t]*\* ?/, "", lines[i])
        else sub(/^[ \t]+/, "", lines[i])
    return count
}

function file_comment(comment,    lines, count, i, kept, text_lines)
{
    count = unwrap(comment, lines)
    for (i = 1; i <= count; ++i) {
        if (lines[i] ~ /SPDX-License-Identifier/) continue
        sub(/^Tributary: /, "", lines[i])
        if (kept == 0) lines[i] = toupper(substr(lines[i], 1, 1)) substr(lines[i], 2)
        text_lines[++kept] = lines[i]
    }
    return "/** @file\n" document(text_lines, kept) "\n*/"
}

function section(comment,    title)
{
    title = comment
    gsub(/^[ \t]*\/\* *-+ *| *-+ *\*\/[ \t]*$/, "", title)
    gsub(/[ \t]*\n[ \t]*\*?[ \t]*/, " ", title)
    title = toupper(substr(title, 1, 1)) substr(title, 2)
    return end_section() "/** @name " prose(title) "\n@{ */"
}

function end_section()
{
    if (!in_section++) return ""
    return "/** @} */\n"
}

# Reads on until the comment that begins in `line` ends.
function whole(line,    next_line)
{
    while (line !~ /\*\// && (getline next_line) > 0) line = line "\n" next_line
    return line
}

NR == 1 && /^\/\*/ { print file_comment(whole($0)); next }

# A comment on its own lines. What stands before an empty line describes nothing.
/^[ \t]*\/\*/ {
    comment = whole($0)
    if (comment ~ /^[ \t]*\/\* ----/) { print section(comment); next }
    if ((getline following) <= 0) following = ""
    if (following ~ /^[ \t]*$/) print comment
    else { count = unwrap(comment, lines); print "/** " document(lines, count) " */" }
    $0 = following
}

/TRIB_END_DECLS/ && in_section { print "/** @} */" }

# A comment behind code.
/[^ \t].*\/\*/ && !/^[ \t]*#/ {
    all = whole($0)
    at = index(all, "/*")
    code = substr(all, 1, at - 1)
    count = unwrap(substr(all, at), lines)
    # In front of "int a, b;" it describes both; behind a function, whose declaration may have begun lines ago.
    print code ~ /\) *;? *$/ ? code "/**< " document(lines, count) " */" : "/** " document(lines, count) " */ " code
    next
}

{ print }
