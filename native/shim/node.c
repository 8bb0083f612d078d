/*
 * The network of a node whose user is not root: a network namespace with the bridge of its Pods, in a user namespace in which
 * this user may change it. The namespaces of Pods belong to that user namespace too, and so do those of their containers.
 *
 * 1. Each id has the same number in the user namespace as outside, so that maps of containers need no other numbers.
 * 2. Nothing of it has a name: it lives while a descriptor of it is open, in the launcher, the server, or a waiter of one of
 *    its Pods. The waiter's one is how a launcher finds it again.
 * 3. A process that has entered cannot come back: each change is made by a child.
 */
#include "netlink.h"
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Enters the user namespace that owns a network namespace, unless this process is in it. */
static bool enter_owner(int network) {
	struct stat own, owners;
	int owner = ioctl(network, NS_GET_USERNS);
	/* One that this process may not see is further out: it is in it, or has no rights there. */
	if (owner < 0) return errno == EPERM;
	bool done = stat("/proc/self/ns/user", &own) == 0 && fstat(owner, &owners) == 0;
	done = done && (own.st_ino == owners.st_ino || setns(owner, CLONE_NEWUSER) == 0);
	int error = errno;
	close(owner);
	errno = error;
	return done;
}

bool enter_network(const char *path, struct failure *failure) {
	int network = open(path, O_RDONLY | O_CLOEXEC);
	bool done = network >= 0 && enter_owner(network) && setns(network, CLONE_NEWNET) == 0;
	if (!done) fail(failure, "network", path);
	if (network >= 0) close(network);
	return done;
}

/* What a child has done, with the number of its descriptor that its parent takes over; -1 for none. */
struct outcome {
	bool done;
	int made;
	struct failure failure;
};

static _Noreturn void run_child(const struct request *request, work *perform, int report, int go) {
	struct outcome outcome = {.made = -1};
	char byte;
	if (read(go, &byte, 1) != 1) _exit(1);
	outcome.done = perform(request, &outcome.made, &outcome.failure);
	if (write(report, &outcome, sizeof outcome) != sizeof outcome) _exit(1);
	/* Until the parent has opened the descriptor. */
	_exit(read(go, &byte, 1) == 0 ? 0 : 1);
}

/* Lets the child work, and takes over what it has made. */
static bool take_outcome(pid_t pid, int report, int go, int *made, struct failure *failure) {
	struct outcome outcome;
	char path[64];
	if (write(go, "g", 1) != 1 || read(report, &outcome, sizeof outcome) != sizeof outcome)
		return errno = ECHILD, fail(failure, "child", NULL);
	*failure = outcome.failure;
	if (!outcome.done || outcome.made < 0) return outcome.done;
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, outcome.made);
	*made = open(path, O_RDONLY | O_CLOEXEC);
	return *made >= 0 || fail(failure, "network", path);
}

bool by_child(const struct request *request, uint64_t flags, work *perform, int *made, struct failure *failure) {
	int report[2], go[2];
	if (pipe2(report, O_CLOEXEC) != 0) return fail(failure, "pipe", NULL);
	if (pipe2(go, O_CLOEXEC) != 0) return close(report[0]), close(report[1]), fail(failure, "pipe", NULL);
	pid_t pid = fork_into(flags);
	if (pid == 0) {
		close(go[1]);
		run_child(request, perform, report[1], go[0]);
	}
	close(report[1]);
	close(go[0]);
	bool done = pid > 0 || fail(failure, "clone", NULL);
	if (done && flags & CLONE_NEWUSER) done = map_ids(pid, request->uid_map, request->gid_map, geteuid() == 0, failure);
	done = done && take_outcome(pid, report[0], go[1], made, failure);
	close(report[0]);
	close(go[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
	return done;
}

static bool change_inside(const struct request *request, int *made, struct failure *failure) {
	return enter_network(request->node, failure) && change_network(request, made, failure);
}

bool change_in_node(const struct request *request, int *made, struct failure *failure) {
	return by_child(request, 0, change_inside, made, failure);
}

bool make_node(const struct request *request, int *made, struct failure *failure) {
	return by_child(request, CLONE_NEWUSER | CLONE_NEWNET, furnish_node, made, failure);
}

int run_in_node(const char *node, char **argv) {
	struct failure failure = {0}, failures[2] = {0};
	static struct network_address ranges[MAX_EGRESS_RANGES];
	char egress[64], datagrams[64] = "";
	size_t count = 0;
	while (argv[count] && strcmp(argv[count], "--") != 0) {
		if (count == MAX_EGRESS_RANGES || !parse_address(argv[count], &ranges[count])) return 2;
		count++;
	}
	if (!argv[count] || !argv[count + 1]) return 2;
	/* Before this process is in there: it does not come back. */
	int channel = fork_datagrams(ranges, count);
	if (channel < 0) fail(&failure, "fork", "");
	if (channel < 0 || !enter_network(node, &failure)) {
		fprintf(stderr, "%s %s: %s\n", failure.step, failure.detail, strerror(failure.error));
		return 126;
	}
	int fd = open_egress(ranges, count, channel, failures);
	if (fd >= 0) snprintf(egress, sizeof egress, "%d", fd);
	else snprintf(egress, sizeof egress, "%d %s", failures[0].error, failures[0].step);
	if (failures[1].error != 0) snprintf(datagrams, sizeof datagrams, "%d %s", failures[1].error, failures[1].step);
	setenv("STINT_EGRESS", egress, 1);
	setenv("STINT_DATAGRAMS", datagrams, 1);
	/* By its standard input, the program learns that datagrams are no longer forwarded. */
	dup2(channel, STDIN_FILENO);
	/* The program is of no use without the process that has started it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	argv += count + 1;
	execv(argv[0], argv);
	perror(argv[0]);
	return 127;
}
