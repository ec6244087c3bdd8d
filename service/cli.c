/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parsing the command line, help, progress and exit codes; see cli.h. */
#include "service/cli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "service/settings.h"

static const struct cli_option common[] = {
    {"--json", NULL, "one JSON document on stdout instead of text"},
    {"--quiet", NULL, "no progress, no notes"},
    {"--help", NULL, "this help"},
    {NULL, NULL, NULL}};

const char *cli_text(const struct cli *cli, const char *name, const char *otherwise)
{
    for (int i = cli->option_count - 1; i >= 0; i--)
        if (strcmp(cli->names[i], name) == 0)
            return cli->values[i];
    return otherwise;
}

bool cli_flag(const struct cli *cli, const char *name)
{
    return cli_text(cli, name, NULL) != NULL;
}

int cli_number(double *out, const struct cli *cli, const char *name, double otherwise, double least,
               double most, struct err *err)
{
    const char *text = cli_text(cli, name, NULL);
    char *end;
    *out = otherwise;
    if (!text)
        return 0;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !isfinite(value) || value < least || value > most)
        return FAIL_CODE(err, ERR_INPUT, "usage", "%s takes a number from %g to %g, not \"%s\"",
                         name, least, most, text);
    *out = value;
    return 0;
}

int cli_print_json(const cJSON *value, struct err *err)
{
    struct bytes text = {0};
    int failed = json_print(&text, value, true, err);
    if (!failed && (fwrite(text.data, 1, text.len, stdout) != text.len || putchar('\n') == EOF ||
                    fflush(stdout)))
        failed = FAIL_ERRNO(err, "cannot write to stdout");
    bytes_free(&text);
    return failed;
}

int cli_tell(const struct cli *cli, cJSON *answer, void (*print)(const cJSON *), struct err *err)
{
    int code = 0;
    if (cli->json)
        code = cli_print_json(answer, err);
    else
        print(answer);
    cJSON_Delete(answer);
    return code;
}

const char *cli_colour(int stream, const char *name)
{
    static const struct {
        const char *name, *code;
    } colours[] = {{"bold", "\033[1m"},    {"red", "\033[31m"},  {"green", "\033[32m"},
                   {"yellow", "\033[33m"}, {"blue", "\033[36m"}, {"dim", "\033[2m"},
                   {"off", "\033[0m"},     {"clear", "\033[K"}};
    const char *no = getenv("NO_COLOR");
    if ((no && *no) || !isatty(stream))
        return "";
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (strcmp(colours[i].name, name) == 0)
            return colours[i].code;
    return "";
}

void cli_progress(const struct cli *cli, const char *what, double share)
{
    enum { WIDTH = 30 };
    char bar[WIDTH + 1];
    if (cli->quiet || !isatty(STDERR_FILENO))
        return;
    double s = share < 0 ? 0 : share > 1 ? 1 : share;
    int full = (int)(s * WIDTH + 0.5);
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = 0;
    fprintf(stderr, "\r%-12s [%s] %3.0f %%\033[K%s", what, bar, s * 100, share >= 1 ? "\n" : "");
    fflush(stderr);
}

void cli_print_findings(const cJSON *report)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_get(report, "findings")) {
        const char *severity = json_text(finding, "severity", "info");
        const char *colour = strcmp(severity, "error") == 0     ? "red"
                             : strcmp(severity, "warning") == 0 ? "yellow"
                                                                : "dim";
        printf("  %s%-8s%s %s (%s)\n", cli_colour(1, colour), severity, cli_colour(1, "off"),
               json_text(finding, "message", ""), json_text(finding, "code", ""));
    }
}

enum exit_code cli_exit_code(const struct err *err)
{
    if (strcmp(err->code, "usage") == 0)
        return EXIT_USAGE;
    if (strcmp(err->code, "disk_full") == 0)
        return EXIT_FAILED;
    switch (err->kind) {
    case ERR_INPUT:
    case ERR_LIMIT:
        return EXIT_CHECK_FAILED;
    case ERR_ABSENT:
        return EXIT_NOT_FOUND;
    case ERR_CONFLICT:
        return EXIT_CONFLICT;
    case ERR_LATER:
        return EXIT_UPSTREAM;
    default:
        return EXIT_FAILED;
    }
}

static void print_options(const struct cli_option *options)
{
    for (; options && options->name; options++) {
        char head[64];
        snprintf(head, sizeof head, "%s %s", options->name,
                 options->argument ? options->argument : "");
        printf("  %-28s %s\n", head, options->help);
    }
}

static void print_command_help(const struct command *command)
{
    printf("%sstatuette %s%s %s\n\n%s\n", cli_colour(1, "bold"), command->name,
           cli_colour(1, "off"), command->arguments, command->summary);
    if (command->help && *command->help)
        printf("\n%s\n", command->help);
    printf("\nOptions\n");
    print_options(command->options);
    print_options(common);
}

static void print_help(void)
{
    const struct command *command;
    printf("%sstatuette%s: a customer's photo becomes a printed part\n\n", cli_colour(1, "bold"),
           cli_colour(1, "off"));
    for (size_t i = 0; (command = command_at(i)); i++)
        printf("  %-16s %s\n", command->name, command->summary);
    printf(
        "\n`statuette COMMAND --help` tells more of each. Exit codes: 0 ok, 1 failure, 2 usage,\n"
        "3 not found, 4 conflict, 5 check failed, 6 upstream.\n\nSettings (environment)\n");
    const char *name, *otherwise, *meaning;
    for (size_t i = 0; settings_describe(i, &name, &otherwise, &meaning) == 0; i++)
        printf("  %-26s %s%s%s%s\n", name, meaning, *otherwise ? " [" : "", otherwise,
               *otherwise ? "]" : "");
}

static const struct cli_option *find_option(const struct cli_option *options, const char *name,
                                            size_t length)
{
    for (; options && options->name; options++)
        if (strlen(options->name) == length && strncmp(options->name, name, length) == 0)
            return options;
    return NULL;
}

/* One option at argv[*i], as "--name value", "--name=value" or "-o value". */
static int take_option(struct cli *cli, int argc, char **argv, int *i, struct err *err)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct cli_option *option = find_option(cli->command->options, word, length);
    if (!option)
        option = find_option(common, word, length);
    if (!option)
        return FAIL_CODE(err, ERR_INPUT, "usage", "%s does not know the option %.*s; see --help",
                         cli->command->name, (int)length, word);
    const char *value = "";
    if (option->argument && equals)
        value = equals + 1;
    else if (option->argument && *i + 1 < argc)
        value = argv[++*i];
    else if (option->argument)
        return FAIL_CODE(err, ERR_INPUT, "usage", "%s needs a value: %s", option->name,
                         option->argument);
    if (cli->option_count == CLI_MAX_WORDS)
        return FAIL_CODE(err, ERR_INPUT, "usage", "too many options");
    cli->names[cli->option_count] = option->name;
    cli->values[cli->option_count++] = value;
    return 0;
}

static int parse(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            if (take_option(cli, argc, argv, &i, err))
                return -1;
        } else if (cli->word_count == CLI_MAX_WORDS) {
            return FAIL_CODE(err, ERR_INPUT, "usage", "too many words");
        } else {
            cli->words[cli->word_count++] = argv[i];
        }
    }
    cli->json = cli_flag(cli, "--json");
    cli->quiet = cli_flag(cli, "--quiet");
    if (cli_flag(cli, "--help"))
        return 0;
    if (cli->word_count < cli->command->least || cli->word_count > cli->command->most)
        return FAIL_CODE(err, ERR_INPUT, "usage", "usage: statuette %s %s", cli->command->name,
                         cli->command->arguments);
    return 0;
}

/* The command whose words begin the line; *used = how many words that were. */
static const struct command *find_command(int argc, char **argv, int *used)
{
    const struct command *command;
    for (size_t i = 0; (command = command_at(i)); i++) {
        char line[64];
        const char *space = strchr(command->name, ' ');
        snprintf(line, sizeof line, "%s%s%s", argv[0], space && argc > 1 ? " " : "",
                 space && argc > 1 ? argv[1] : "");
        *used = space ? 2 : 1;
        if (strcmp(line, command->name) == 0)
            return command;
    }
    return NULL;
}

/* Commands that begin with a word, for "did you mean". */
static void say_unknown(const char *word)
{
    const struct command *command;
    fprintf(stderr, "statuette: no command \"%.40s\"", word);
    bool first = true;
    for (size_t i = 0; (command = command_at(i)); i++)
        if (strncmp(command->name, word, strcspn(command->name, " ")) == 0 &&
            strchr(command->name, ' ')) {
            fprintf(stderr, "%s%s", first ? "; there is: " : ", ", command->name);
            first = false;
        }
    fprintf(stderr, "%s\n", first ? "; see statuette --help" : "");
}

int cli_main(int argc, char **argv)
{
    struct err err = {0};
    int used;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("statuette " STATUETTE_VERSION);
        return EXIT_OK;
    }
    struct cli cli = {.command = find_command(argc - 1, argv + 1, &used)};
    if (!cli.command) {
        say_unknown(argv[1]);
        return EXIT_USAGE;
    }
    int code = parse(&cli, argc - 1 - used, argv + 1 + used, &err);
    if (code == 0 && cli_flag(&cli, "--help")) {
        print_command_help(cli.command);
        return EXIT_OK;
    }
    if (code == 0)
        code = cli.command->run(&cli, &err);
    if (code >= 0)
        return code;
    fprintf(stderr, "statuette: %s%s%s%s\n", err.what, *err.code ? " [" : "", err.code,
            *err.code ? "]" : "");
    return cli_exit_code(&err);
}
