/* Stops this process before every call that changes a file below a folder, and in the middle of every
 * write. Preloaded by bench/torture/points.py, which looks at the files and lets the process go on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static char below[1024], *said;
static size_t length;

/* From now on, for files below `home`; what is about to be done is written to `shared` (4096 bytes). */
void points_arm(char *shared, const char *home)
{
    snprintf(below, sizeof below, "%s/", home);
    length = strlen(below);
    said = shared;
}

static void stop(const char *what, const char *where)
{
    snprintf(said, 4096, "%s %s", what, where + length);
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGSTOP);
}

static int about(const char *what, const char *where)
{
    if (!said || strncmp(where, below, length))
        return 0;
    stop(what, where);
    return 1;
}

static int about_open_file(const char *what, int fd, char where[1024])
{
    char link[64];
    if (!said)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, where, 1023);
    if (n < 0)
        return 0;
    where[n] = 0;
    return about(what, where);
}

ssize_t write(int fd, const void *data, size_t n)
{
    char where[1024];
    ssize_t half = 0, rest;
    if (about_open_file("write", fd, where) && n > 1) {
        if ((half = REAL(write)(fd, data, n / 2)) < (ssize_t)(n / 2))
            return half;
        stop("half-write", where);
    }
    rest = REAL(write)(fd, (const char *)data + half, n - half);
    return rest < 0 ? rest : half + rest;
}

#define PWRITE(name, offset_type)                                                                \
    ssize_t name(int fd, const void *data, size_t n, offset_type at)                             \
    {                                                                                            \
        char where[1024];                                                                        \
        ssize_t half = 0, rest;                                                                  \
        if (about_open_file("write", fd, where) && n > 1) {                                      \
            if ((half = REAL(name)(fd, data, n / 2, at)) < (ssize_t)(n / 2))                     \
                return half;                                                                     \
            stop("half-write", where);                                                           \
        }                                                                                        \
        rest = REAL(name)(fd, (const char *)data + half, n - half, at + half);                   \
        return rest < 0 ? rest : half + rest;                                                    \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_FILE(what, result, name, parameters, arguments)                                       \
    result name parameters                                                                       \
    {                                                                                            \
        char where[1024];                                                                        \
        about_open_file(what, fd, where);                                                        \
        return REAL(name) arguments;                                                             \
    }
ON_FILE("sync", int, fsync, (int fd), (fd))
ON_FILE("sync", int, fdatasync, (int fd), (fd))
ON_FILE("truncate", int, ftruncate, (int fd, off_t n), (fd, n))
ON_FILE("truncate", int, ftruncate64, (int fd, off64_t n), (fd, n))
ON_FILE("allocate", int, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
ON_FILE("allocate", int, fallocate64, (int fd, int mode, off64_t at, off64_t n), (fd, mode, at, n))
ON_FILE("allocate", int, posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n))
ON_FILE("allocate", int, posix_fallocate64, (int fd, off64_t at, off64_t n), (fd, at, n))
ON_FILE("copy", ssize_t, sendfile, (int fd, int from, off_t *at, size_t n), (fd, from, at, n))
ON_FILE("copy", ssize_t, sendfile64, (int fd, int from, off64_t *at, size_t n), (fd, from, at, n))

#define ON_PATH(what, result, name, parameters, arguments)                                       \
    result name parameters                                                                       \
    {                                                                                            \
        about(what, path);                                                                       \
        return REAL(name) arguments;                                                             \
    }
ON_PATH("remove", int, unlink, (const char *path), (path))
ON_PATH("remove", int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
ON_PATH("remove", int, rmdir, (const char *path), (path))
ON_PATH("make folder", int, mkdir, (const char *path, mode_t mode), (path, mode))
ON_PATH("rename", int, rename, (const char *path, const char *to), (path, to))
ON_PATH("rename", int, renameat, (int a, const char *path, int b, const char *to), (a, path, b, to))
ON_PATH("rename", int, renameat2, (int a, const char *path, int b, const char *to, unsigned flags), (a, path, b, to, flags))
ON_PATH("chmod", int, chmod, (const char *path, mode_t mode), (path, mode))

#define OPEN(name)                                                                               \
    int name(const char *path, int flags, ...)                                                   \
    {                                                                                            \
        va_list more;                                                                            \
        va_start(more, flags);                                                                   \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                  \
        va_end(more);                                                                            \
        if (flags & O_TRUNC || (flags & O_CREAT && access(path, F_OK)))                          \
            about("make or empty", path);                                                        \
        return REAL(name)(path, flags, mode);                                                    \
    }
OPEN(open)
OPEN(open64)
