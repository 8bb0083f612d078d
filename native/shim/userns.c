/*
 * The maps of a user namespace. A map of one id anybody may write; the further ids of an ordinary user, those that
 * /etc/subuid and /etc/subgid grant, are mapped by the programs newuidmap and newgidmap, which check the grant.
 */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three numbers a line, and few lines. */
#define MAX_MAP_WORDS 32

static bool write_file(const char *path, const char *text) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) return false;
	bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int error = errno;
	close(fd);
	errno = error;
	return done;
}

/* Runs `program PID inner outer count ...`. */
static bool map_by(const char *program, pid_t pid, const char *map, struct failure *failure) {
	char words[1024], number[16], *argv[MAX_MAP_WORDS + 3] = {(char *)program, number};
	size_t count = 2;
	snprintf(number, sizeof number, "%d", (int)pid);
	if (snprintf(words, sizeof words, "%s", map) >= (int)sizeof words) return errno = E2BIG, fail(failure, program, NULL);
	for (char *word = strtok(words, " \n"); word && count < MAX_MAP_WORDS + 2; word = strtok(NULL, " \n")) argv[count++] = word;
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		execvp(program, argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
	if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
	errno = WIFEXITED(status) && WEXITSTATUS(status) == 127 ? ENOENT : EPERM;
	return fail(failure, program, map);
}

static bool has_lines(const char *map) {
	return strchr(map, '\n') != NULL;
}

bool map_ids(pid_t pid, const char *uid_map, const char *gid_map, bool may_map, struct failure *failure) {
	char path[64];
	if (!may_map && has_lines(uid_map))
		return map_by("newuidmap", pid, uid_map, failure) && map_by("newgidmap", pid, gid_map, failure);
	snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
	if (!may_map && !write_file(path, "deny")) return fail(failure, "setgroups", path);
	snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
	if (!write_file(path, uid_map)) return fail(failure, "uidmap", uid_map);
	snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
	if (!write_file(path, gid_map)) return fail(failure, "gidmap", gid_map);
	return true;
}

int run_in_user_namespace(const char *uid_map, const char *gid_map, char **argv) {
	int go[2];
	char byte;
	struct failure failure = {0};
	if (pipe2(go, O_CLOEXEC) != 0) return perror("pipe"), 126;
	pid_t pid = fork_into(CLONE_NEWUSER);
	if (pid < 0) return perror("clone3"), 126;
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1) _exit(126);
		if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) _exit(126);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	close(go[0]);
	if (!map_ids(pid, uid_map, gid_map, geteuid() == 0, &failure)) {
		fprintf(stderr, "%s: %s\n", failure.step, strerror(failure.error));
		return 126;
	}
	if (write(go[1], "g", 1) != 1) return 126;
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
