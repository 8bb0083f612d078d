/*
 * Tries what this machine allows, with processes that do what a container's waiter does. Prints a line per fact:
 * "box root", "box user" or "box none errno step", and whether a private /proc can be mounted: "pid yes".
 */
#include "shim.h"
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fs_request proc = {"proc", "/proc", ""};

/* Enters a box in a child; returns false with the failure if the machine refuses it. */
static bool try_box(uint64_t flags, bool with_proc, struct failure *failure) {
	int report[2];
	if (pipe(report) != 0) return fail(failure, "pipe", NULL);
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid < 0) {
		fail(failure, "clone", NULL);
		close(report[0]);
		close(report[1]);
		return false;
	}
	if (pid == 0) {
		struct failure inner = {0};
		struct request request = {.ns_flags = flags, .hostname = "probe", .file_systems = &proc, .fs_count = with_proc};
		request.user_ns = (flags & CLONE_NEWUSER) != 0;
		bool done = enter_box(&request, &inner);
		if (!done && write(report[1], &inner, sizeof inner) < 0) _exit(2);
		_exit(done ? 0 : 1);
	}
	close(report[1]);
	bool failed = read(report[0], failure, sizeof *failure) == sizeof *failure;
	close(report[0]);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
	return !failed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int probe(void) {
	const uint64_t all = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
	struct failure failure = {0};
	const char *level = "root";
	uint64_t extra = 0;
	if (!try_box(all, false, &failure)) {
		level = "user";
		extra = CLONE_NEWUSER;
		struct failure second = {0};
		if (!try_box(all | extra, false, &second)) {
			printf("box none %d %s\n", second.error, second.step);
			return 0;
		}
	}
	printf("box %s\n", level);
	if (try_box(all | extra, true, &failure)) printf("pid yes\n");
	else printf("pid no %d %s\n", failure.error, failure.step ? failure.step : "");
	return 0;
}
