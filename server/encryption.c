/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens what encryption at rest needs, before the spool. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/encryption.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <linux/magic.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DEFAULT_CALL_DIR "/run/faxd"
#define SHARED_MEMORY    "/dev/shm"

/* --- keys --- */

static int load_credential(struct cipher_keys **keys, const char *name)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char *path;
    int error;

    if (folder == NULL || folder[0] == '\0')
        return err_set(ERR_INVALID,
                       "encryption|credential: systemd gave no credentials: put LoadCredential=%s:FILE into the unit, "
                       "or name the file by key_file",
                       name);
    path = xasprintf("%s/%s", folder, name);
    error = cipher_keys_load(keys, path, CIPHER_KEYS_CREDENTIAL);
    free(path);
    return error;
}

static int load_keys(struct cipher_keys **keys, const struct config *config)
{
    if (config->encryption_key_file[0] != '\0')
        return cipher_keys_load(keys, config->encryption_key_file, CIPHER_KEYS_OWNER);
    if (config->encryption_credential[0] != '\0')
        return load_credential(keys, config->encryption_credential);
    return 0;
}

/* --- the folder of calls --- */

/* systemd lists several folders with colons between them: the first is taken. Caller frees. */
static char *configured_dir(const struct config *config)
{
    const char *runtime = getenv("RUNTIME_DIRECTORY");

    if (config->encryption_call_dir[0] != '\0')
        return xstrdup(config->encryption_call_dir);
    if (runtime == NULL || runtime[0] != '/')
        return xstrdup(DEFAULT_CALL_DIR);
    return xasprintf("%.*s", (int)strcspn(runtime, ":"), runtime);
}

static int make_folder(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(ERR_IO, "encryption|call_dir: cannot make %s: %s", path, strerror(errno));
    return 0;
}

static bool is_in_memory(const char *path)
{
    struct statfs system;

    return statfs(path, &system) == 0 && (system.f_type == TMPFS_MAGIC || (unsigned long)system.f_type == RAMFS_MAGIC);
}

static int check_in_memory(const char *path)
{
    if (!is_in_memory(path))
        return err_set(ERR_INVALID,
                       "encryption|call_dir: %s is on a disk, and pages of calls would lie there in plain: name a "
                       "folder on a tmpfs, such as one below /run or /dev/shm",
                       path);
    return 0;
}

/* A folder that others can write to may hold a trap under the name that we are about to use. */
static int check_private(const char *path)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return err_set(ERR_IO, "encryption|call_dir: cannot look at %s: %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 0077) != 0)
        return err_set(ERR_DENIED, "encryption|call_dir: %s is not a folder of ours alone: remove it", path);
    return 0;
}

/* Attempts are numbered in each store, so each store has a folder of its own, named by a hash of where it is. */
static char *own_dir(const char *folder, const char *state_dir)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char name[17];

    crypto_hash_sha256(hash, (const unsigned char *)state_dir, strlen(state_dir));
    return xasprintf("%s/calls-%s", folder, str_hex(name, hash, 8));
}

static int make_call_dir(struct encryption *encryption, const char *folder)
{
    int error = make_folder(folder);

    if (error == 0)
        error = check_in_memory(folder);
    if (error == 0)
        error = make_folder(encryption->call_dir);
    if (error == 0)
        error = check_private(encryption->call_dir);
    return error == 0 ? check_in_memory(encryption->call_dir) : error;
}

/* --- all of it --- */

/* A core file of faxd, or of a host or engine that it starts, would be a page on the disk. */
static void forbid_core_files(void)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        log_warning("core files cannot be forbidden: %s", strerror(errno));
}

/* Whoever gets a copy of the state folder has the keys with it. */
static void warn_of_place(const struct config *config)
{
    size_t length = strlen(config->state_dir);

    if (strncmp(config->encryption_key_file, config->state_dir, length) == 0 &&
        config->encryption_key_file[length] == '/')
        log_warning("the key file lies in the state folder, and in each copy of it: %s", config->encryption_key_file);
}

int encryption_open(struct encryption *encryption, const struct config *config)
{
    char *folder;
    int error;

    *encryption = (struct encryption){0};
    error = load_keys(&encryption->keys, config);
    if (error != 0 || encryption->keys == NULL)
        return error;
    forbid_core_files();
    warn_of_place(config);
    folder = configured_dir(config);
    encryption->call_dir = own_dir(folder, config->state_dir);
    encryption->on = config->encryption_enabled;
    if (encryption->on)
        error = make_call_dir(encryption, folder);
    if (encryption->on)
        encryption->work_dir = is_in_memory(SHARED_MEMORY) ? SHARED_MEMORY : encryption->call_dir;
    free(folder);
    if (error == 0 && encryption->on)
        log_info("documents are encrypted key=%s call_dir=%s", cipher_keys_newest(encryption->keys),
                 encryption->call_dir);
    return error;
}

void encryption_close(struct encryption *encryption)
{
    cipher_keys_free(encryption->keys);
    free(encryption->call_dir);
    *encryption = (struct encryption){0};
}

void encryption_options(struct spool_options *options, const struct encryption *encryption)
{
    options->cipher_keys = encryption->keys;
    options->encrypt = encryption->on;
    options->call_dir = encryption->call_dir;
    options->work_dir = encryption->work_dir;
}

bool encryption_differs(const struct config *a, const struct config *b)
{
    return strcmp(a->encryption_key_file, b->encryption_key_file) != 0 ||
           strcmp(a->encryption_credential, b->encryption_credential) != 0 ||
           strcmp(a->encryption_call_dir, b->encryption_call_dir) != 0 ||
           a->encryption_enabled != b->encryption_enabled;
}

/* Files that root made would be closed to the user that faxd runs as. */
static int check_user(const char *state_dir)
{
    struct stat status;

    if (stat(state_dir, &status) != 0)
        return err_set(ERR_IO, "cannot look at %s: %s", state_dir, strerror(errno));
    if (status.st_uid != geteuid())
        return err_set(ERR_DENIED, "%s belongs to user %u: rotate as that user (runuser -u USER -- faxd ...)",
                       state_dir, (unsigned)status.st_uid);
    return 0;
}

static int open_alone(struct encryption *encryption, struct spool **spool, const struct config *config, bool needs_key)
{
    struct spool_options options = {.state_dir = config->state_dir};
    int error = check_user(config->state_dir);

    if (error == 0)
        error = load_keys(&encryption->keys, config);
    if (error == 0 && needs_key && encryption->keys == NULL)
        error = err_set(ERR_INVALID, "no key is configured: name the file of the keys in section encryption; to store "
                                     "documents plain again, keep it and say enabled = false");
    if (error == 0) {
        encryption->on = config->encryption_enabled && encryption->keys != NULL;
        forbid_core_files();
        encryption_options(&options, encryption);
        error = spool_open(spool, &options);
    }
    return error;
}

int encryption_open_alone(struct encryption *encryption, struct spool **spool, const struct config *config)
{
    return open_alone(encryption, spool, config, false);
}

int encryption_rotate(struct document_rotation *done, const struct config *config)
{
    struct encryption encryption = {0};
    struct spool *spool = NULL;
    int error = open_alone(&encryption, &spool, config, true);

    if (error == 0)
        error = document_rotate(done, spool);
    spool_close(spool);
    encryption_close(&encryption);
    return error;
}
