/* Reads start requests and forks a waiter for each. */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int pidfd_of(pid_t pid, const char *expected_start) {
	char name[16], start[32];
	snprintf(name, sizeof name, "%d", (int)pid);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0) return -1;
	/* Read after the descriptor was opened: the process that it names is the one whose start was compared. */
	if (!start_of(name, start) || strcmp(start, expected_start) != 0) {
		close(fd);
		errno = ESRCH;
		return -1;
	}
	return fd;
}

/* Forks with new namespaces. In the namespaces of another container, the kernel wants an intermediate process. */
static pid_t fork_waiter(const struct request *request) {
	struct clone_args args = {.flags = request->ns_flags, .exit_signal = SIGCHLD};
	if (request->user_ns && !request->join_pid) args.flags |= CLONE_NEWUSER;
	if (!request->join_pid) return (pid_t)syscall(SYS_clone3, &args, sizeof args);
	int fd = pidfd_of(request->join_pid, request->join_start);
	if (fd < 0) return -1;
	pid_t between = fork();
	if (between < 0) {
		close(fd);
		return -1;
	}
	if (between > 0) {
		int status = 0;
		close(fd);
		while (waitpid(between, &status, 0) < 0 && errno == EINTR) continue;
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
		/* 1 stands for a waiter that reports by itself. */
		return errno == 0 ? 1 : -1;
	}
	int join = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | (request->user_ns ? CLONE_NEWUSER : 0);
	if (setns(fd, join) != 0) _exit(errno);
	args.flags = request->ns_flags & CLONE_NEWNS;
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0) return 0;
	_exit(pid < 0 ? errno : 0);
}

static bool write_file(const char *path, const char *text) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) return false;
	bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int error = errno;
	close(fd);
	errno = error;
	return done;
}

/* Runs newuidmap or newgidmap, which may map the further ids that /etc/subuid gives this user. */
static bool map_with(const char *tool, pid_t pid, const char *map) {
	char pid_text[16], *argv[64], copy[1024];
	size_t count = 0;
	snprintf(pid_text, sizeof pid_text, "%d", (int)pid);
	snprintf(copy, sizeof copy, "%s", map);
	argv[count++] = (char *)tool;
	argv[count++] = pid_text;
	for (char *word = strtok(copy, " \n"); word && count < 63; word = strtok(NULL, " \n")) argv[count++] = word;
	argv[count] = NULL;
	signal(SIGCHLD, SIG_DFL);
	pid_t child = fork();
	if (child == 0) {
		execvp(tool, argv);
		_exit(127);
	}
	int status = -1;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
	signal(SIGCHLD, SIG_IGN);
	if (status == 0) return true;
	errno = EPERM;
	return false;
}

static bool map_ids(const struct request *request, pid_t pid, struct failure *failure) {
	char path[64];
	if (request->map_by_tool) {
		if (!map_with("newuidmap", pid, request->uid_map)) return fail(failure, "uidmap", request->uid_map);
		if (!map_with("newgidmap", pid, request->gid_map)) return fail(failure, "gidmap", request->gid_map);
		return true;
	}
	snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
	if (geteuid() != 0 && !write_file(path, "deny")) return fail(failure, "setgroups", path);
	snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
	if (!write_file(path, request->uid_map)) return fail(failure, "uidmap", request->uid_map);
	snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
	if (!write_file(path, request->gid_map)) return fail(failure, "gidmap", request->gid_map);
	return true;
}

static void start(const struct request *request) {
	struct failure failure = {0};
	bool maps = request->user_ns && !request->join_pid;
	int go[2] = {-1, -1};
	if (maps && pipe2(go, O_CLOEXEC) != 0) {
		fail(&failure, "pipe", NULL);
		report_failure(request->id, &failure);
		return;
	}
	if (request->join_pid) signal(SIGCHLD, SIG_DFL);
	pid_t pid = fork_waiter(request);
	if (pid == 0) {
		if (maps) close(go[1]);
		run_container(request, go[0]);
	}
	if (request->join_pid) signal(SIGCHLD, SIG_IGN);
	if (pid < 0) {
		fail(&failure, request->join_pid ? "join" : "clone", NULL);
		report_failure(request->id, &failure);
	}
	if (!maps) return;
	close(go[0]);
	if (pid > 0) {
		if (map_ids(request, pid, &failure)) {
			if (write(go[1], "g", 1) < 0) perror("go");
		} else {
			/* The waiter sees the end of the pipe and exits without a report. */
			report_failure(request->id, &failure);
		}
	}
	close(go[1]);
}

int serve(const char *events, const char *poke) {
	/* Children are reaped by the kernel. */
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++) {
		static const int ignored[] = {SIGHUP, SIGINT, SIGTERM};
		signal(ignored[i], SIG_IGN);
	}
	fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC);
	events_open(events, poke);
	for (;;) {
		struct request request;
		char *body;
		int got = read_request(STDIN_FILENO, &request, &body);
		if (got > 0) start(&request);
		free_request(&request, body);
		if (got == 0) return 0;
		if (got < 0) {
			fputs("damaged request\n", stderr);
			return 1;
		}
	}
}
