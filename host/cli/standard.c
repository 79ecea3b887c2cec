/* SPDX-License-Identifier: Apache-2.0
 * Standard input, output and error that are closed when the program starts (`<&-`, some daemons).
 *
 * The next file opened would take such a descriptor: a list on standard input would be read from the wrong file, and
 * rows or messages would be written into it. So each closed descriptor is taken by a file opened the wrong way round:
 * reading standard input and writing standard output then fail with an error. */
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"

bool cli_hold_standard_files(void)
{
    static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDONLY };
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        if (open("/dev/null", wrong_way[fd]) != fd) return false; /* the lowest free one */
    }
    return true;
}
