/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage: bytes by their hash, and what a full disk, a damaged file and a crash leave behind. */
#include "storage/blob.h"
#include "tests/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static struct err err;
static struct blobs blobs;
static char folder[64];

static int open_store(void)
{
    strcpy(folder, "/tmp/statuette-blobs-XXXXXX");
    return mkdtemp(folder) ? blobs_open(&blobs, folder, &err) : -1;
}

/* Files in a folder of the store. */
static int files_in(const char *name)
{
    char path[100];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return count;
}

static void test_blob__comes_back_as_it_went_and_is_kept_once(void)
{
    char one[SHA256_HEX], two[SHA256_HEX], path[1200], copy[100];
    struct bytes back = {.limit = 100};
    struct stat first, second;
    CHECK_OK(open_store());
    CHECK_OK(blob_put(one, &blobs, "abc", 3, &err));
    CHECK_TEXT(one, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_OK(blob_path(path, &blobs, one, &err));
    CHECK(strstr(path, "/ba/78/ba7816bf") && stat(path, &first) == 0);
    CHECK_OK(blob_put(two, &blobs, "abc", 3, &err));
    CHECK(stat(path, &second) == 0 && second.st_ino == first.st_ino);
    CHECK_TEXT(two, one);
    CHECK_OK(blob_get(&back, &blobs, one, &err));
    CHECK_TEXT((char *)back.data, "abc");
    bytes_free(&back);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    CHECK_OK(blob_copy_to(&blobs, one, copy, &err));
    uint64_t bytes = 0;
    CHECK_OK(blob_put_file(two, &bytes, &blobs, copy, &err));
    CHECK(bytes == 3 && strcmp(one, two) == 0);
    CHECK_OK(blob_put(two, &blobs, "", 0, &err));
    CHECK_OK(blob_get(&back, &blobs, two, &err));
    CHECK(back.len == 0);
    bytes_free(&back);
    CHECK(files_in("tmp") == 0);
    folder_remove(folder);
}

static void test_blob__refuses_names_that_are_no_hashes(void)
{
    char path[1200];
    CHECK_OK(open_store());
    CHECK_FAILS(blob_path(path, &blobs, "../../etc/passwd", &err), ERR_INPUT);
    CHECK_FAILS(blob_path(path, &blobs, "", &err), ERR_INPUT);
    CHECK_FAILS(blob_path(path, &blobs,
                          "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", &err),
                ERR_INPUT);
    struct bytes back = {0};
    CHECK_FAILS(blob_get(&back, &blobs,
                         "0000000000000000000000000000000000000000000000000000000000000000", &err),
                ERR_ABSENT);
    folder_remove(folder);
}

static void test_blob__that_was_damaged_is_noticed(void)
{
    char hash[SHA256_HEX], path[1200], copy[100];
    struct bytes back = {0};
    CHECK_OK(open_store());
    CHECK_OK(blob_put(hash, &blobs, "precious", 8, &err));
    CHECK_OK(blob_path(path, &blobs, hash, &err));
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && pwrite(fd, "X", 1, 3) == 1);
    close(fd);
    CHECK_FAILS(blob_get(&back, &blobs, hash, &err), ERR_BUG);
    CHECK_TEXT(err.code, "blob_damaged");
    CHECK(back.data == NULL);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    CHECK_FAILS(blob_copy_to(&blobs, hash, copy, &err), ERR_BUG);
    CHECK(access(copy, F_OK) != 0);
    CHECK(truncate(path, 3) == 0); /* cut short: the next put of the same bytes heals it */
    CHECK_OK(blob_put(hash, &blobs, "precious", 8, &err));
    CHECK_OK(blob_get(&back, &blobs, hash, &err));
    bytes_free(&back);
    folder_remove(folder);
}

static void test_blob__writer_that_is_dropped_leaves_nothing(void)
{
    struct blob_writer *writer;
    struct stat st;
    CHECK_OK(open_store());
    CHECK_OK(blob_writer_open(&writer, &blobs, 10, &err));
    CHECK_OK(blob_writer_write(writer, "12345", 5, &err));
    CHECK_OK(blob_writer_write(writer, "67890", 5, &err));
    CHECK(blob_writer_bytes(writer) == 10);
    CHECK(stat(blob_writer_path(writer), &st) == 0 && st.st_size == 10);
    CHECK_FAILS(blob_writer_write(writer, "x", 1, &err), ERR_LIMIT);
    blob_writer_drop(writer);
    CHECK(files_in("tmp") == 0 && files_in("") == 1);
    blob_writer_drop(NULL);
    folder_remove(folder);
}

static void test_blob__old_leftovers_are_swept_young_ones_are_not(void)
{
    char old[100], young[100];
    CHECK_OK(open_store());
    snprintf(old, sizeof old, "%s/tmp/old", folder);
    snprintf(young, sizeof young, "%s/tmp/young", folder);
    CHECK(close(open(old, O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK(close(open(young, O_CREAT | O_WRONLY, 0600)) == 0);
    struct utimbuf yesterday = {time(NULL) - 90000, time(NULL) - 90000};
    CHECK(utime(old, &yesterday) == 0);
    CHECK_OK(blobs_open(&blobs, folder, &err));
    CHECK(access(old, F_OK) != 0 && access(young, F_OK) == 0);
    folder_remove(folder);
}

static void *put_same(void *user)
{
    static char data[200000];
    char hash[SHA256_HEX];
    struct err why;
    for (int i = 0; i < 20; i++)
        if (blob_put(hash, &blobs, data, sizeof data - (size_t)(i % 4), &why))
            return user;
    return NULL;
}

static void test_blob__may_be_put_by_many_at_once(void)
{
    pthread_t threads[6];
    int failed = 0;
    CHECK_OK(open_store());
    for (int i = 0; i < 6; i++)
        CHECK(pthread_create(&threads[i], NULL, put_same, &err) == 0);
    for (int i = 0; i < 6; i++) {
        void *result;
        pthread_join(threads[i], &result);
        failed += result != NULL;
    }
    CHECK(failed == 0 && files_in("tmp") == 0 && files_in("") == 1 + 4);
    folder_remove(folder);
}

/* A disk of 1 MB: the put that does not fit is refused, what was there stays, what fits goes on. */
static void test_blob__a_full_disk_refuses_and_loses_nothing(void)
{
    static char big[2000000];
    char hash[SHA256_HEX];
    struct bytes back = {0};
    strcpy(folder, "/tmp/statuette-blobs-XXXXXX");
    CHECK(mkdtemp(folder));
    if (mount("tmpfs", folder, "tmpfs", 0, "size=1m") != 0) {
        rmdir(folder);
        SKIP("mounting a small tmpfs needs root");
    }
    int result = blobs_open(&blobs, folder, &err);
    if (result == 0)
        result = blob_put(hash, &blobs, "kept", 4, &err);
    char refused[SHA256_HEX];
    struct err full = {0};
    int put = blob_put(refused, &blobs, big, sizeof big, &full);
    int left = files_in("tmp");
    if (result == 0)
        result = blob_get(&back, &blobs, hash, &err);
    bytes_free(&back);
    if (result == 0)
        result = blob_put(refused, &blobs, big, 500000, &err);
    umount(folder);
    rmdir(folder);
    CHECK_OK(result);
    CHECK(put == -1 && full.kind == ERR_LATER && left == 0);
    CHECK_TEXT(full.code, "disk_full");
}

TESTS(TEST(test_blob__comes_back_as_it_went_and_is_kept_once),
      TEST(test_blob__refuses_names_that_are_no_hashes),
      TEST(test_blob__that_was_damaged_is_noticed),
      TEST(test_blob__writer_that_is_dropped_leaves_nothing),
      TEST(test_blob__old_leftovers_are_swept_young_ones_are_not),
      TEST(test_blob__may_be_put_by_many_at_once),
      TEST(test_blob__a_full_disk_refuses_and_loses_nothing))
