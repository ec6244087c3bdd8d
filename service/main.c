/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one binary: commands, and the roles that it plays as its own confined child. */
#include <string.h>

#include "service/cli.h"
#include "service/role.h"

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return role_main(argc - 2, argv + 2);
    return cli_main(argc, argv);
}
