/* SPDX-License-Identifier: Apache-2.0
 * Standard input, output and error that are closed when the program starts (`<&-`, some daemons).
 *
 * The next file that is opened would take the place of one of them: a list on standard input would wait for ever for
 * something else, and rows or messages would go into that file. So each place is taken, opened the wrong way round: who
 * reads standard input then fails, and so does who writes standard output, instead of doing nothing in silence. */
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"

bool cli_hold_standard_files(void)
{
    static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDONLY };
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        if (open("/dev/null", wrong_way[fd]) != fd) return false; /* the lowest that is free */
    }
    return true;
}
