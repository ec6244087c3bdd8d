/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a program with limits; see child.h. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#else
#define WITH_ASAN 0
#endif

static void limit(int what, rlim_t value)
{
    struct rlimit both = {value, value};
    setrlimit(what, &both);
}

/* Refuses every socket but AF_UNIX. Written out so that it may be installed between fork and exec.
 */
static void refuse_sockets(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Another processor each time, so that two such children do not share one while another idles. */
static void keep_one_processor(void)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return;
    int skip = getpid() % CPU_COUNT(&allowed);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed) && skip-- == 0)
            CPU_SET(i, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* Between fork and exec of a process with threads: async-signal-safe calls only. */
static void become(const struct child_options *o, const int pipes[4], int report, char *const *env)
    __attribute__((noreturn));
static void become(const struct child_options *o, const int pipes[4], int report, char *const *env)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    if (o->limits.memory_bytes && !WITH_ASAN)
        limit(RLIMIT_AS, o->limits.memory_bytes);
    if (o->limits.stack_bytes)
        limit(RLIMIT_STACK, o->limits.stack_bytes);
    if (o->limits.file_bytes)
        limit(RLIMIT_FSIZE, o->limits.file_bytes);
    if (o->limits.cpu_s) { /* at the hard limit the kernel sends SIGKILL, which tells nothing */
        struct rlimit cpu = {o->limits.cpu_s, o->limits.cpu_s + 2};
        setrlimit(RLIMIT_CPU, &cpu);
    }
    if (o->limits.one_processor)
        keep_one_processor();
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 0);
    dup2(pipes[1], 1);
    dup2(pipes[3], 2);
    int copy = fcntl(report, F_DUPFD_CLOEXEC, 3);
    if (copy != 3) {
        dup3(copy, 3, O_CLOEXEC);
        close(copy);
    }
    syscall(SYS_close_range, 4, ~0U, 0);
    int failed = o->folder && chdir(o->folder);
    if (!failed) {
        if (!o->network) {
            unshare(CLONE_NEWNET);
            refuse_sockets();
        }
        execvpe(o->argv[0], (char *const *)o->argv, env);
    }
    int why = errno;
    ssize_t ignored = write(3, &why, sizeof why);
    (void)ignored;
    _exit(127);
}

struct stream {
    int fd;
    struct bytes *kept;
    size_t limit;
    void (*on_line)(void *user, const char *line); /* or NULL */
    char line[512];
    size_t line_len;
};

static void keep(struct stream *s, const char *data, size_t n)
{
    size_t room = s->kept->len < s->limit ? s->limit - s->kept->len : 0;
    if (bytes_append(s->kept, data, n < room ? n : room, NULL))
        s->limit = s->kept->len;
}

static void tell_line(struct stream *s, void *user)
{
    s->line[s->line_len] = 0;
    s->line_len = 0;
    s->on_line(user, s->line);
}

static void tell_lines(struct stream *s, const struct child_options *o, const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (data[i] == '\n')
            tell_line(s, o->user);
        else if (s->line_len < sizeof s->line - 1)
            s->line[s->line_len++] = data[i];
}

/* Takes what is there; closes the descriptor at its end. A last line may have no end. */
static void drain(struct stream *s, const struct child_options *o)
{
    char data[16384];
    ssize_t n = read(s->fd, data, sizeof data);
    if (n > 0) {
        keep(s, data, (size_t)n);
        if (s->on_line)
            tell_lines(s, o, data, (size_t)n);
    } else if (n == 0 || errno != EINTR) {
        if (s->on_line && s->line_len)
            tell_line(s, o->user);
        close(s->fd);
        s->fd = -1;
    }
}

static void follow(struct child_result *r, const struct child_options *o, pid_t pid,
                   struct stream s[2])
{
    int64_t deadline = o->limits.wall_s ? clock_ms() + (int64_t)o->limits.wall_s * 1000 : INT64_MAX;
    while (s[0].fd >= 0 || s[1].fd >= 0) {
        struct pollfd fds[2] = {{s[0].fd, POLLIN, 0}, {s[1].fd, POLLIN, 0}};
        poll(fds, 2, 100);
        for (int i = 0; i < 2; i++)
            if (s[i].fd >= 0 && fds[i].revents)
                drain(&s[i], o);
        bool stop = o->stop && atomic_load(o->stop);
        if (!stop && clock_ms() < deadline)
            continue;
        r->stopped = stop;
        r->timed_out = !stop;
        kill(-pid, SIGKILL);
        deadline = INT64_MAX;
        if (stop)
            break;
    }
}

static int reap(struct child_result *r, pid_t pid, const struct child_options *o, int64_t started)
{
    int status;
    pid_t done;
    int64_t deadline = started + (int64_t)o->limits.wall_s * 1000;
    /* A child may close both streams and run on: its time limit still holds. */
    while ((done = waitpid(pid, &status, o->limits.wall_s ? WNOHANG : 0)) <= 0) {
        if (done < 0 && errno != EINTR)
            return -1;
        if (o->limits.wall_s && clock_ms() > deadline && !r->timed_out && !r->stopped) {
            r->timed_out = true;
            kill(-pid, SIGKILL);
        }
        usleep(1000);
    }
    kill(-pid, SIGKILL); /* whatever it left behind in its group */
    r->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return 0;
}

static int open_pipes(int pipes[6], struct err *err)
{
    for (int i = 0; i < 6; i++)
        pipes[i] = -1;
    for (int i = 0; i < 6; i += 2)
        if (pipe2(pipes + i, O_CLOEXEC)) {
            int failed = FAIL_ERRNO(err, "cannot make a pipe");
            err ? (void)(err->kind = ERR_LATER) : (void)0;
            return failed;
        }
    return 0;
}

static void close_all(int *fds, int count)
{
    for (int i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* 0 when the program runs; else why exec failed. The report pipe closes by itself at exec. */
static int exec_failure(int report)
{
    int why = 0;
    ssize_t n;
    do
        n = read(report, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? why : 0;
}

/* Large arrays come and go in a child. By pages of 4 KB, given back each time, a million triangles
 * cost 164,000 page faults and a fifth of the time; by large pages that are kept, 16,000. */
#define LARGE_PAGES                                                                                \
    "GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432:"                  \
    "glibc.malloc.trim_threshold=1000000000"

int child_run(struct child_result *result, const struct child_options *options, struct err *err)
{
    *result = (struct child_result){.exit_code = -1};
    int pipes[6];
    char home[4200], temp[4200];
    snprintf(home, sizeof home, "HOME=%s", options->folder ? options->folder : "/nonexistent");
    snprintf(temp, sizeof temp, "TMPDIR=%s", options->folder ? options->folder : "/tmp");
    char *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8",     home,        temp,
                   "OMP_WAIT_POLICY=PASSIVE",           "MALLOC_ARENA_MAX=2", LARGE_PAGES, NULL};
    if (open_pipes(pipes, err)) {
        close_all(pipes, 6);
        return -1;
    }
    int64_t started = clock_ms();
    double started_s = clock_s();
    pid_t pid = fork();
    if (pid == 0)
        become(options, pipes, pipes[5], env);
    close_all((int[]){pipes[1], pipes[3], pipes[5]}, 3);
    if (pid < 0) {
        close_all((int[]){pipes[0], pipes[2], pipes[4]}, 3);
        return FAIL(err, ERR_LATER, "cannot start a process: %s", strerror(errno));
    }
    int why = exec_failure(pipes[4]);
    close(pipes[4]);
    size_t kept = options->output_limit ? options->output_limit : (size_t)4 << 20;
    struct stream streams[2] = {
        {.fd = pipes[0], .kept = &result->out, .limit = kept, .on_line = options->on_output_line},
        {.fd = pipes[2], .kept = &result->err, .limit = kept, .on_line = options->on_line}};
    follow(result, options, pid, streams);
    close_all((int[]){streams[0].fd, streams[1].fd}, 2);
    if (reap(result, pid, options, started))
        return FAIL_ERRNO(err, "lost a child process");
    result->seconds = clock_s() - started_s;
    if (why == ENOENT)
        return FAIL_CODE(err, ERR_ABSENT, "program_missing", "the program %s is not installed",
                         options->argv[0]);
    if (why)
        return FAIL(err, ERR_BUG, "cannot run %s: %s", options->argv[0], strerror(why));
    return 0;
}

void child_result_free(struct child_result *result)
{
    if (!result)
        return;
    bytes_free(&result->out);
    bytes_free(&result->err);
}
