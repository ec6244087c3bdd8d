/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a program with limits, and locks down a process that is about to read hostile bytes.
 * Slicers run through child_run; so do our own parsers, as `/proc/self/exe child ROLE ...`.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* 0 means no limit of that sort. */
struct child_limits {
    uint64_t memory_bytes; /* address space */
    uint64_t
        stack_bytes;     /* of each thread; programs with a thread a layer reserve it all at once */
    uint64_t file_bytes; /* largest file it may write */
    unsigned cpu_s;      /* processor seconds */
    unsigned wall_s;     /* seconds until it is killed */
    bool one_processor;  /* all its threads share one of those that we may use */
};

struct child_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH unless it has a '/' */
    const char *folder;      /* working folder, HOME and TMPDIR; NULL keeps the present one */
    struct child_limits limits;
    size_t output_limit; /* bytes kept of each stream; rest dropped; 0 = 4 MiB */
    void (*on_line)(void *user, const char *line); /* each stderr line as it comes, or NULL */
    void (*on_output_line)(void *user, const char *line); /* each stdout line, or NULL */
    void *user;
    const atomic_bool *stop; /* true kills the child; or NULL */
    bool network; /* false: no sockets but unix ones, and an empty network namespace as root */
};

struct child_result {
    int exit_code; /* 0..255, or -1 when a signal ended it */
    int signal;    /* that signal, or 0 */
    bool timed_out;
    bool stopped; /* killed because *stop became true */
    double seconds;
    struct bytes out;
    struct bytes err;
};

/**
 * Runs a program to its end: own process group, no inherited descriptors, a small environment,
 * no new privileges, no core file, killed with its parent. Never through a shell.
 *
 * Result   the exit, with both streams; a program that fails is no failure of child_run.
 * Owner    the caller calls child_result_free, also after a failure.
 * Errors   ERR_ABSENT no such program (code program_missing). ERR_LATER no processes or
 * descriptors. Threads  safe; the calling thread waits.
 */
int child_run(struct child_result *result, const struct child_options *options,
              struct err *err) MUST_CHECK;

void child_result_free(struct child_result *result);

/**
 * For the child itself, before it opens a hostile file: from here on it may read below folder,
 * /usr, /lib and /etc, write below folder, and do nothing else: no sockets, no exec, no ptrace
 * (seccomp allow-list that kills; landlock where the kernel has it). Cannot be undone. Left out
 * under AddressSanitizer, whose runtime needs more system calls.
 */
int child_confine(const char *folder, struct err *err) MUST_CHECK;

#endif
