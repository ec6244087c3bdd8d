/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `statuette man`: the manual page from the command table and the settings. */
#include <stdio.h>

#include "base/version.h"
#include "service/cli.h"
#include "service/settings.h"

/* troff reads a leading dot or quote as a request and a minus as a hyphen. */
static void put_text(const char *text)
{
    bool at_start = true;
    for (; *text; text++) {
        if (at_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '-')
            putchar('\\');
        if (*text == '\\')
            fputs("\\\\", stdout);
        else
            putchar(*text);
        at_start = *text == '\n';
    }
}

static void put_options(const struct cli_option *options)
{
    for (; options && options->name; options++) {
        printf(".RS\n.TP\n.BR ");
        put_text(options->name);
        printf(" \" %s\"\n", options->argument ? options->argument : "");
        put_text(options->help);
        printf("\n.RE\n");
    }
}

static void put_commands(void)
{
    const struct command *command;
    for (size_t i = 0; (command = command_at(i)); i++) {
        printf(".TP\n\\fBstatuette %s\\fR ", command->name);
        put_text(command->arguments);
        printf("\n");
        put_text(command->summary);
        printf(".\n");
        if (*command->help) {
            put_text(command->help);
            printf("\n");
        }
        put_options(command->options);
    }
}

int cli_man(const struct cli *cli, struct err *err)
{
    (void)cli;
    (void)err;
    printf(".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n"
           ".TH STATUETTE 1 \"\" \"statuette " STATUETTE_VERSION "\" \"User Commands\"\n"
           ".SH NAME\nstatuette \\- a customer's photo becomes a printed part\n"
           ".SH SYNOPSIS\n.B statuette\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH COMMANDS\n");
    put_commands();
    printf(".SH ENVIRONMENT\n");
    const char *name, *otherwise, *meaning;
    for (size_t i = 0; settings_describe(i, &name, &otherwise, &meaning) == 0; i++) {
        printf(".TP\n.B %s\n", name);
        put_text(meaning);
        if (*otherwise)
            printf(" [%s]", otherwise);
        printf("\n");
    }
    printf(".SH EXIT STATUS\n0 ok, 1 failure, 2 usage, 3 not found, 4 conflict, 5 check failed, "
           "6 upstream.\n");
    return EXIT_OK;
}
