/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulators that the demo starts: processes of their own beside the program. */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service/demo.h"

#define ARGS_MOST 16

static int find(char path[1200], const char *name, struct err *err)
{
    static const char *const places[] = {"tests/sim", "obj-release/tests/sim",
                                         "../libexec/statuette"};
    char self[1000], setting[60] = "STATUETTE_";
    for (size_t i = 0, n = strlen(setting); name[i] && n + 1 < sizeof setting; i++, n++)
        setting[n] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
    const char *named = getenv(setting);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (named && *named) {
        snprintf(path, 1200, "%s", named);
        return 0;
    }
    if (n < 0)
        return FAIL_ERRNO(err, "cannot tell where this program lies");
    self[n] = 0;
    const char *folder = dirname(self);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, 1200, "%s/%s/%s", folder, places[i], name);
        if (access(path, X_OK) == 0)
            return 0;
    }
    return FAIL_CODE(err, ERR_ABSENT, "program_missing",
                     "the simulator %s is not beside this program; run make", name);
}

/* Reads "WORD PORT" from the simulator's first line. */
static int read_port(int fd, int *port, const char *name, struct err *err)
{
    char line[64];
    size_t n = 0;
    while (n < sizeof line - 1) {
        ssize_t got = read(fd, line + n, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || line[n] == '\n')
            break;
        n++;
    }
    line[n] = 0;
    if (sscanf(line, "%*s %d", port) != 1)
        return FAIL(err, ERR_BUG, "%s did not say its port", name);
    return 0;
}

int demo_simulator(pid_t *pid, int *port, const char *name, const char *const *args,
                   struct err *err)
{
    char path[1200];
    const char *argv[ARGS_MOST + 2] = {path};
    int pipe_fds[2];
    for (int i = 0; i < ARGS_MOST && args[i]; i++)
        argv[i + 1] = args[i];
    if (find(path, name, err))
        return -1;
    if (pipe(pipe_fds))
        return FAIL_ERRNO(err, "cannot make a pipe");
    *pid = fork();
    if (*pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(pipe_fds[1], STDOUT_FILENO);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        execv(path, (char *const *)(void *)argv);
        _exit(127);
    }
    close(pipe_fds[1]);
    /* the read end stays open with the simulator: it may go on to say things */
    return *pid < 0 ? FAIL_ERRNO(err, "cannot start %s", name)
                    : read_port(pipe_fds[0], port, name, err);
}

void demo_simulator_stop(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}
