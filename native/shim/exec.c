/*
 * Runs one command in a container, for one session. Descriptor 3 is a socket to the launcher: it carries the request,
 * then lines "W columns rows" and "K signal" for a terminal's size and for signals; its end kills the command. Back come
 * "S" once the command runs, "F errno step detail" if it cannot, and "E status".
 */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAUNCHER 3

static void answer_failure(const struct failure *failure) {
	dprintf(LAUNCHER, "F %d %s %s\n", failure->error, failure->step, failure->detail);
}

/* The namespaces in which the process `pid` differs from this one. */
static int foreign_namespaces(pid_t pid) {
	static const struct {
		const char *name;
		int flag;
	} kinds[] = {{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"ipc", CLONE_NEWIPC},
		     {"uts", CLONE_NEWUTS},   {"net", CLONE_NEWNET}};
	int flags = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char path[64];
		struct stat ours, theirs;
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
		if (stat(path, &ours) != 0) continue;
		snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kinds[i].name);
		if (stat(path, &theirs) == 0 && theirs.st_ino != ours.st_ino) flags |= kinds[i].flag;
	}
	return flags;
}

static bool enter(const struct request *request, struct failure *failure) {
	char name[16], start[32];
	snprintf(name, sizeof name, "%d", (int)request->join_pid);
	int fd = (int)syscall(SYS_pidfd_open, request->join_pid, 0);
	if (fd < 0 || !start_of(name, start) || strcmp(start, request->join_start) != 0) {
		errno = ESRCH;
		return fail(failure, "enter", name);
	}
	int flags = foreign_namespaces(request->join_pid);
	if (flags != 0 && setns(fd, flags) != 0) return fail(failure, "enter", name);
	close(fd);
	return true;
}

static _Noreturn void become_command(const struct request *request, const char *terminal, int report) {
	struct failure failure = {0};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(022);
	bool ready = !terminal || use_terminal(terminal, &failure);
	ready = ready && join_cgroups(request, &failure) && take_identity(request, &failure);
	if (ready) execute(request, &failure);
	if (write(report, &failure, sizeof failure) < 0) _exit(126);
	_exit(127);
}

struct session {
	pid_t command;
	int signals, status;
	bool has_ended, has_terminal;
	struct relay relay;
};

static void obey(struct session *session, char *lines) {
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
		if (line[0] == 'W' && session->has_terminal) resize_terminal(session->relay.master, line + 1);
		if (line[0] == 'K') kill(-session->command, atoi(line + 1));
	}
}

static void read_launcher(struct session *session) {
	char text[512];
	ssize_t length = read(LAUNCHER, text, sizeof text - 1);
	if (length < 0 && errno == EINTR) return;
	if (length <= 0) {
		kill(-session->command, SIGKILL);
		_exit(137);
	}
	text[length] = 0;
	obey(session, text);
}

static void reap(struct session *session) {
	struct signalfd_siginfo info;
	while (read(session->signals, &info, sizeof info) == sizeof info) continue;
	if (waitpid(session->command, &session->status, WNOHANG) == session->command) session->has_ended = true;
}

static void run_session(struct session *session) {
	while (!session->has_ended || (session->has_terminal && !relay_drained(&session->relay))) {
		struct pollfd fds[6] = {{.fd = session->signals, .events = POLLIN}, {.fd = LAUNCHER, .events = POLLIN}};
		size_t count = 2;
		if (session->has_terminal) count += relay_poll(&session->relay, fds + count);
		if (poll(fds, count, -1) < 0 && errno != EINTR) return;
		if (fds[0].revents) {
			reap(session);
			/* Processes that the command left behind must not keep the terminal, and so the session, open. */
			if (session->has_ended && session->has_terminal) kill(-session->command, SIGHUP);
		}
		if (fds[1].revents) read_launcher(session);
		if (session->has_terminal) relay_step(&session->relay, fds + 2, count - 2);
	}
}

static bool begin(struct session *session, const struct request *request, struct failure *failure) {
	char terminal[64];
	int report[2];
	sigset_t child;
	if (!open_cgroups(request, failure) || !enter(request, failure)) return false;
	if (request->tty) {
		session->relay.in = STDIN_FILENO;
		session->relay.out = STDOUT_FILENO;
		session->relay.master = open_terminal(terminal);
		if (session->relay.master < 0) return fail(failure, "terminal", NULL);
		session->has_terminal = true;
	}
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	session->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (pipe2(report, O_CLOEXEC) != 0) return fail(failure, "pipe", NULL);
	session->command = fork();
	if (session->command < 0) return fail(failure, "fork", NULL);
	if (session->command == 0) become_command(request, request->tty ? terminal : NULL, report[1]);
	close(report[1]);
	ssize_t got;
	while ((got = read(report[0], failure, sizeof *failure)) < 0 && errno == EINTR) continue;
	close(report[0]);
	return got != sizeof *failure;
}

int exec_in_container(void) {
	struct request request;
	struct failure failure = {0};
	struct session session = {0};
	char *body;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	if (read_request(LAUNCHER, &request, &body) != 1) return 2;
	fcntl(LAUNCHER, F_SETFD, FD_CLOEXEC);
	if (!begin(&session, &request, &failure)) {
		answer_failure(&failure);
		return 1;
	}
	dprintf(LAUNCHER, "S\n");
	/* The command has them: their readers must see the end when the command closes them. */
	if (!session.has_terminal)
		for (int fd = 0; fd < 3; fd++) close(fd);
	run_session(&session);
	dprintf(LAUNCHER, "E %d\n", session.status);
	return 0;
}
