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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t fork_into(uint64_t flags) {
	if (flags == 0) return fork();
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* From now on the kernel reaps children; those that ended while it did not are reaped here. */
static void ignore_children(void) {
	signal(SIGCHLD, SIG_IGN);
	while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

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

/*
 * The namespaces in which the container of the waiter `pid` differs from this process; -1 if they cannot be read, as when
 * it has just ended: the caller must not take that for the namespaces of this process.
 */
static int foreign_namespaces(pid_t pid) {
	static const struct {
		const char *name;
		int flag;
	} kinds[] = {{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID},
		     {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS}, {"net", CLONE_NEWNET}};
	int flags = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char path[64];
		struct stat ours, theirs;
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
		if (stat(path, &ours) != 0) return -1;
		/* The waiter of a container with an image is outside its process namespace. */
		const char *suffix = kinds[i].flag == CLONE_NEWPID ? "_for_children" : "";
		snprintf(path, sizeof path, "/proc/%d/ns/%s%s", (int)pid, kinds[i].name, suffix);
		if (stat(path, &theirs) != 0) return -1;
		if (theirs.st_ino != ours.st_ino) flags |= kinds[i].flag;
	}
	return flags;
}

/* The process namespace of the container of the waiter `pid`, which the waiter itself may be outside of. */
static int open_processes(pid_t pid) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/pid_for_children", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct joined {
	int process, processes, flags;
};

/*
 * In the intermediate process: enters the namespaces, and forks the waiter, which alone returns. The waiters of a command
 * and of a container with an image stay outside the process namespace of the container that they join, which could
 * otherwise reach into them; their programs are inside.
 */
static void join_namespaces(const struct request *request, struct joined target, int *joined) {
	int others = target.flags & ~(CLONE_NEWNS | CLONE_NEWPID);
	bool has_pids = target.flags & CLONE_NEWPID;
	bool is_outside = request->enter || request->has_image;
	/* The user namespace first: in it, this process may enter the others. */
	if (others != 0 && setns(target.process, others) != 0) _exit(errno);
	if (has_pids && !is_outside && setns(target.processes, CLONE_NEWPID) != 0) _exit(errno);
	pid_t pid = fork_into(request->enter ? 0 : request->ns_flags & CLONE_NEWNS);
	if (pid != 0) _exit(pid < 0 ? errno : 0);
	if (has_pids && is_outside && setns(target.processes, CLONE_NEWPID) != 0) {
		struct failure failure = {0};
		fail(&failure, "join", NULL);
		if (request->enter) events_to_output();
		report_failure(request->id, &failure);
		_exit(1);
	}
	close(target.processes);
	/* The view of a container without a box is the launcher's own. */
	if (target.flags & CLONE_NEWNS) *joined = target.process;
	else close(target.process);
}

/* Maps the ids of a new user namespace, then lets its waiter go on; a failed one sees the end of the pipe and exits. */
static void let_go(const struct request *request, pid_t pid, int go, bool may_map) {
	struct failure failure = {0};
	if (!map_ids(pid, request->uid_map, request->gid_map, may_map, &failure)) report_failure(request->id, &failure);
	else if (write(go, "g", 1) < 0) perror("go");
}

/*
 * In an intermediate process: enters the network of the Pod, with the user namespace that owns it, and forks the waiter there,
 * which alone returns. In that user namespace this process has the rights to map ids.
 */
static void fork_in_network(struct request *request, uint64_t flags, int go) {
	struct failure failure = {0};
	/* The waiter holds the namespace of the node, which it could not open itself. */
	if (open(request->node, O_RDONLY | O_CLOEXEC) < 0) fail(&failure, "network", request->node);
	pid_t pid = !failure.step && enter_network(request->netns, &failure) ? fork_into(flags) : -1;
	request->netns = NULL;
	if (pid == 0) return;
	if (pid > 0) let_go(request, pid, go, true);
	else if (!failure.step) fail(&failure, "clone", NULL);
	if (failure.step) report_failure(request->id, &failure);
	_exit(0);
}

/* Waits for an intermediate process. Returns as fork_waiter, with the errno that it exits with. */
static pid_t wait_between(pid_t between) {
	int status = 0;
	while (waitpid(between, &status, 0) < 0 && errno == EINTR) continue;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno == 0 ? 1 : -1;
}

/*
 * Forks the waiter: with new namespaces, or in those of another container. The kernel wants an intermediate process for
 * that, since a process that joins a pid namespace stays outside itself. Returns as fork(2), with a descriptor of the
 * joined process in `joined`; 1 for a waiter whose process id is not known here, since it reports by itself.
 */
static pid_t fork_waiter(struct request *request, int go, int *joined) {
	/* With an image, the program is process 1 of its namespace, not the waiter. */
	uint64_t outside = request->has_image ? CLONE_NEWPID : 0;
	if (!request->join_pid) {
		uint64_t flags = (request->ns_flags & ~outside) | (request->user_ns ? CLONE_NEWUSER : 0);
		if (!request->node) return fork_into(flags);
		pid_t between = fork();
		if (between == 0) fork_in_network(request, flags, go);
		return between > 0 ? wait_between(between) : between;
	}
	int fd = pidfd_of(request->join_pid, request->join_start);
	if (fd < 0) return -1;
	int flags = foreign_namespaces(request->join_pid);
	int processes = open_processes(request->join_pid);
	/* Still the same process, after its namespaces were opened. */
	bool is_alive = flags >= 0 && processes >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
	pid_t between = is_alive ? fork() : -1;
	if (!is_alive) errno = ESRCH;
	if (between != 0) {
		pid_t result = between > 0 ? wait_between(between) : -1;
		int error = errno;
		close(fd);
		if (processes >= 0) close(processes);
		errno = error;
		return result;
	}
	join_namespaces(request, (struct joined){fd, processes, flags}, joined);
	return 0;
}

static void start(struct request *request) {
	struct failure failure = {0};
	bool maps = request->user_ns && !request->join_pid;
	int go[2] = {-1, -1}, joined = -1;
	if (maps && pipe2(go, O_CLOEXEC) != 0) {
		fail(&failure, "pipe", NULL);
		report_failure(request->id, &failure);
		return;
	}
	/* A child that is to be waited for must not be reaped by the kernel. */
	signal(SIGCHLD, request->join_pid || maps ? SIG_DFL : SIG_IGN);
	pid_t pid = fork_waiter(request, go[1], &joined);
	if (pid == 0) {
		if (maps) close(go[1]);
		run_container(request, go[0], joined);
	}
	if (pid < 0) {
		fail(&failure, request->join_pid ? "join" : "clone", NULL);
		report_failure(request->id, &failure);
	} else if (maps && !request->node) let_go(request, pid, go[1], geteuid() == 0);
	ignore_children();
	if (!maps) return;
	close(go[0]);
	close(go[1]);
}

int serve(const char *events, const char *poke) {
	/* Children are reaped by the kernel; a terminal's signals are for the server; the launcher may be gone. */
	static const int ignored[] = {SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGPIPE};
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
	fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC);
	events_open(events, poke);
	if (write(STDOUT_FILENO, "ready\n", 6) < 0) return 1;
	for (;;) {
		struct request request;
		char *body;
		int got = read_request(STDIN_FILENO, &request, &body);
		if (got > 0 && request.network) {
			signal(SIGCHLD, SIG_DFL);
			serve_network(&request);
			ignore_children();
		} else if (got > 0) start(&request);
		free_request(&request, body);
		if (got == 0) return 0;
		if (got < 0) {
			fputs("damaged request\n", stderr);
			return 1;
		}
	}
}
