/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs one program and writes what it cost, with all its children, as a line of JSON to a file: a
 * small process of its own, so that the peak is the program's and not that of the script that
 * calls. clocked COST.json LIMIT_S PROGRAM [ARGUMENT..]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    unsigned limit = (unsigned)atoi(argv[2]);
    double begun = now();
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        struct rlimit cpu = {2 * limit, 2 * limit + 1}; /* two cores, or a wait for them */
        setrlimit(RLIMIT_CPU, &cpu);
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    pid_t alarm = fork();
    if (alarm == 0) {
        sleep(limit);
        kill(-child, 9);
        _exit(0);
    }
    struct rusage used;
    int status = 0;
    if (child < 0 || wait4(child, &status, 0, &used) != child)
        return 1;
    double wall = now() - begun;
    kill(alarm, 9);
    waitpid(alarm, NULL, 0);
    FILE *f = fopen(argv[1], "w");
    if (!f)
        return 1;
    fprintf(f, "{\"code\":%d,\"wall\":%.3f,\"user\":%.3f,\"system\":%.3f,\"peak_mb\":%.1f}\n",
            WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), wall,
            seconds(used.ru_utime), seconds(used.ru_stime), (double)used.ru_maxrss / 1024);
    return fclose(f) != 0;
}
