/*
 * The file of events and the pipe that tells the launcher to read it. Lines are appended by one write each, so that
 * lines of different waiters never mix.
 */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Reserved for a file of events, so that ends can be written to a full disk. The launcher begins a new file before. */
#define RESERVED_BYTES (1 << 20)

static int events_fd = -1;
static int poke_fd = -1;

void events_open(const char *events, const char *poke) {
	events_fd = open(events, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (events_fd >= 0) fallocate(events_fd, FALLOC_FL_KEEP_SIZE, 0, RESERVED_BYTES);
	mkfifo(poke, 0600);
	poke_fd = open(poke, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (events_fd < 0 || poke_fd < 0) {
		perror(events_fd < 0 ? events : poke);
		_exit(1);
	}
}

void events_to_output(void) {
	close(events_fd);
	close(poke_fd);
	events_fd = poke_fd = -1;
}

/* A full disk must not lose an end: the waiter lives on and tries again. */
static void append(const char *line, int length) {
	const struct timespec pause = {0, 100 * 1000 * 1000};
	if (events_fd < 0) {
		/* The launcher may be gone. */
		if (write(STDOUT_FILENO, line, (size_t)length) < 0) errno = 0;
		return;
	}
	for (;;) {
		ssize_t wrote = write(events_fd, line, (size_t)length);
		if (wrote == length) break;
		nanosleep(&pause, NULL);
		/* Half a line: it is ended, so that the reader skips it and takes the next one. */
		while (wrote > 0 && write(events_fd, "\n", 1) != 1) nanosleep(&pause, NULL);
	}
	/* If the pipe is full, the launcher has not read earlier bytes yet, and will read this line with them. */
	if (write(poke_fd, "x", 1) < 0) return;
}

void report_started(const char *id, pid_t pid, const char *start, const char *program) {
	char line[512];
	const char *space = *program ? " " : "";
	append(line, snprintf(line, sizeof line, "S %s %d %s %" PRId64 "%s%s\n", id, (int)pid, start, now_ms(), space, program));
}

void report_failure(const char *id, const struct failure *failure) {
	char line[1024];
	int length = snprintf(line, sizeof line, "F %s %d %s %s\n", id, failure->error, failure->step, failure->detail);
	/* The detail is a path, which may contain line ends. */
	for (int i = 0; i < length - 1; i++)
		if (line[i] == '\n') line[i] = '?';
	append(line, length);
}

void report_end(const char *id, int status, int64_t ms, long oom_kills) {
	char line[512];
	append(line, snprintf(line, sizeof line, "E %s %d %" PRId64 " %ld\n", id, status, ms, oom_kills));
}
