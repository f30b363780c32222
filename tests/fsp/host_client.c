/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small faxd for one host. */
#include <config.h>

#include "tests/fsp/host_client.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool fail(struct host *host, const char *why)
{
    snprintf(host->fault, sizeof host->fault, "%s", why);
    return false;
}

static const char *folder(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL ? value : ".";
}

struct host *host_open(void)
{
    struct host *host = xcalloc(1, sizeof *host);

    snprintf(host->dir, sizeof host->dir, "/tmp/faxd-host-XXXXXX");
    if (mkdtemp(host->dir) == NULL)
        abort();
    snprintf(host->socket_path, sizeof host->socket_path, "%s/link", host->dir);
    host->link = -1;
    host->scratch = xmalloc(LINK_BYTES_MAX * 2);
    return host;
}

void host_close(struct host *host)
{
    char command[128];

    if (host == NULL)
        return;
    if (host->link >= 0)
        close(host->link);
    if (host->pid > 0) {
        kill(host->pid, SIGKILL);
        waitpid(host->pid, NULL, 0);
    }
    snprintf(command, sizeof command, "rm -rf '%s'", host->dir);
    if (system(command) != 0)
        abort();
    free(host->scratch);
    free(host->state);
    free(host);
}

/* --- the program --- */

static char *in_build(const char *name)
{
    return name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", folder("FAXD_BUILD"), name);
}

static int config_fd(const struct host *host, const char *settings)
{
    char *engine = in_build("faxd-t30");
    char *config = xasprintf("{\"name\":\"t\",\"engine\":\"%s\",\"work_dir\":\"%s\",\"calls_per_engine\":1,"
                             "\"start_id\":\"index\",\"dial_prefix\":\"\",\"settings\":%s,\"lines\":["
                             "{\"name\":\"1001\",\"number\":\"1001\",\"settings\":{}},"
                             "{\"name\":\"1002\",\"number\":\"1002\",\"settings\":{}}]}",
                             engine, host->dir, settings);
    int fd = memfd_create("config", 0);

    if (write(fd, config, strlen(config)) != (ssize_t)strlen(config) || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    free(engine);
    free(config);
    return fd;
}

void host_start(struct host *host, const char *module, const char *settings)
{
    char *program = in_build("faxd-fsp"), *path = in_build(module);
    int fd = config_fd(host, settings);

    host->pid = fork();
    if (host->pid == 0) {
        char number[16];
        int quiet = open("/dev/null", O_WRONLY);

        snprintf(number, sizeof number, "%d", fd);
        if (getenv("FAXD_LOUD") == NULL)
            dup2(quiet, 2);
        execl(program, program, "--name", "t", "--module", path, "--socket", host->socket_path, "--config-fd", number,
              "--abort-grace", "1", "--orphan-grace", "1", (char *)NULL);
        _exit(127);
    }
    close(fd);
    free(program);
    free(path);
}

int host_wait_exit(struct host *host)
{
    int status = 0;

    for (int i = 0; i < HOST_PATIENCE_MS / 10; i++) {
        if (waitpid(host->pid, &status, WNOHANG) == host->pid) {
            host->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        usleep(10000);
    }
    fail(host, "the host does not leave");
    return -1;
}

/* --- the link --- */

static bool connect_link(struct host *host)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", host->socket_path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        host->link = fd;
        return true;
    }
    close(fd);
    return false;
}

bool host_say(struct host *host, const struct link_message *message, int fd)
{
    return link_send(host->link, message, fd) == 0 || fail(host, err_message());
}

bool host_hear(struct host *host, struct link_message *message)
{
    struct pollfd wait = {.fd = host->link, .events = POLLIN};
    int fd = -1, error;

    if (poll(&wait, 1, HOST_PATIENCE_MS) != 1)
        return fail(host, "the host says nothing");
    error = link_receive(host->link, message, host->scratch, &fd);
    if (error == ERR_CLOSED || error == ERR_IO)
        return fail(host, "the host has left");
    if (error != 0)
        return fail(host, err_message());
    if (message->type == LINK_STATE) {
        free(host->state);
        host->state = xstrdup(message->text != NULL ? message->text : "");
        host->states++;
    }
    if (message->type >= LINK_RING) {
        if (message->number != host->last + 1)
            return fail(host, "an event was left out, or came twice");
        host->last = message->number;
    }
    return true;
}

bool host_greet(struct host *host, uint64_t committed)
{
    const struct link_message hello = {
        .type = LINK_HELLO, .version = LINK_VERSION, .run = host->run, .number = committed};
    struct link_message message;
    bool found = false;

    for (int i = 0; i < HOST_PATIENCE_MS / 10 && !(found = connect_link(host)); i++)
        usleep(10000);
    if (!found || !host_say(host, &hello, -1))
        return fail(host, "nobody listens");
    host->last = committed;
    host->devices = host->jobs = 0;
    while (host_hear(host, &message)) {
        if (message.type == LINK_WELCOME)
            snprintf(host->run, sizeof host->run, "%s", message.run);
        else if (message.type == LINK_DEVICE)
            host->devices++;
        else if (message.type == LINK_JOB && host->jobs < 16)
            host->job_list[host->jobs++] = message.job;
        else if (message.type == LINK_READY)
            return true;
    }
    return false;
}

int host_stop(struct host *host)
{
    struct link_message message;

    if (!host_say(host, &(struct link_message){.type = LINK_STOP}, -1))
        return -1;
    do
        link_send(host->link, &(struct link_message){.type = LINK_ACK, .number = host->last}, -1);
    while (host_hear(host, &message));
    close(host->link);
    host->link = -1;
    return host_wait_exit(host);
}

/* --- calls --- */

bool host_send(struct host *host, uint64_t job, uint32_t line, const char *number, int journal)
{
    char *file = xasprintf("%s/tests/data/itu1.tif", folder("FAXD_SRC"));
    const struct link_message order = {.type = LINK_SEND,
                                       .job = job,
                                       .line = line,
                                       .file = file,
                                       .destination = number,
                                       .caller_number = "1001",
                                       .options = "{}"};
    bool said = host_say(host, &order, journal);

    free(file);
    return said;
}

int host_end_of(struct host *host, struct link_message *ended, uint64_t job)
{
    int faults = 0;

    while (host_hear(host, ended)) {
        faults += ended->type == LINK_FAULT;
        if (ended->type == LINK_ENDED && ended->job == job)
            return faults;
    }
    return -1;
}
