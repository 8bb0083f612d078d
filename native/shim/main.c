#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Notes the failure of `step` with the present errno; returns false, so that callers can return its result. */
bool fail(struct failure *failure, const char *step, const char *detail) {
	failure->error = errno;
	failure->step = step;
	snprintf(failure->detail, sizeof failure->detail, "%s", detail ? detail : "");
	return false;
}

int64_t now_ms(void) {
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool start_of(const char *pid, char start[32]) {
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool done = start_in(proc, pid, start);
	if (proc >= 0) close(proc);
	return done;
}

bool start_in(int proc, const char *pid, char start[32]) {
	char path[64], stat[1024];
	snprintf(path, sizeof path, "%s/stat", pid);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return false;
	ssize_t length = read(fd, stat, sizeof stat - 1);
	close(fd);
	if (length <= 0) return false;
	stat[length] = 0;
	/* The name may contain blanks and parentheses: the fields begin after the last one. The start time is field 22. */
	char *at = strrchr(stat, ')');
	for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
	return at && sscanf(at + 1, "%31s", start) == 1;
}

/*
 * Holds the namespaces that containers share. The first process of a process namespace gets the processes whose parents have
 * ended: the kernel removes them when they end, since SIGCHLD is ignored.
 */
static int hold_namespaces(void) {
	signal(SIGCHLD, SIG_IGN);
	for (;;) pause();
}

int main(int argc, char **argv) {
	const char *mode = argc > 1 ? argv[1] : "";
	if (strcmp(mode, "serve") == 0 && argc == 4) return serve(argv[2], argv[3]);
	if (strcmp(mode, "probe") == 0) return probe(argc > 2 ? argv[2] : NULL);
	if (strcmp(mode, "network") == 0) return try_network();
	if (strcmp(mode, "node") == 0 && argc > 4) return run_in_node(argv[2], argv + 3);
	if (strcmp(mode, "layer") == 0 && argc == 4) return mark_layer(argv[2], strcmp(argv[3], "user") == 0);
	if (strcmp(mode, "userns") == 0 && argc > 4) return run_in_user_namespace(argv[2], argv[3], argv + 4);
	if (strcmp(mode, "ports") == 0 && argc == 3) return serve_ports(atoi(argv[2]));
	if (strcmp(mode, "pause") == 0) return hold_namespaces();
	fputs("usage: stint-shim serve EVENTS POKE | pause | probe [FOLDER] | network | ports PID | node PATH RANGE... -- PROGRAM... | layer FOLDER user|root | userns UIDS GIDS PROGRAM...\n", stderr);
	return 2;
}
