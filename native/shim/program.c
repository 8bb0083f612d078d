/* Finds and executes the program of a request. */
#include "shim.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *path_of(const struct request *request) {
	for (size_t i = 0; i < request->envc; i++)
		if (strncmp(request->envp[i], "PATH=", 5) == 0) return request->envp[i] + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* As execvp(3), with the PATH of the request. A folder without permission is passed over, and remembered. */
static void search(const struct request *request, const char *name, char *const *argv) {
	char *const none[] = {NULL};
	char *const *envp = request->envp ? request->envp : none;
	int error = ENOENT;
	const char *at = path_of(request);
	while (*at) {
		char file[PATH_MAX];
		size_t length = strcspn(at, ":");
		if (length > 0 && snprintf(file, sizeof file, "%.*s/%s", (int)length, at, name) < (int)sizeof file) {
			execve(file, argv, envp);
			if (errno != ENOENT && errno != ENOTDIR) {
				if (errno != EACCES) return;
				/* Not for a folder that this user cannot search: the program may be in a later one. */
				if (access(file, F_OK) == 0) error = EACCES;
			}
		}
		at += length + (at[length] == ':');
	}
	errno = error;
}

/*
 * Whether the working directory is below the root. This process still has rights that the program will not have: a path
 * such as /proc/1/root could lead it into the files of another container, or of the machine.
 */
static bool is_inside_root(void) {
	char path[PATH_MAX];
	return syscall(SYS_getcwd, path, sizeof path) > 0 && path[0] == '/';
}

/*
 * Enters the working directory, before the user changes: it may lie in a folder that only the launcher's user can enter.
 * One that this user cannot enter either is tried again as the program's user.
 */
bool enter_folder(const struct request *request, bool is_last_try, struct failure *failure) {
	static bool has_entered;
	if (has_entered || !request->cwd) return true;
	bool makes = request->root && !request->enter;
	bool done = chdir(request->cwd) == 0;
	/* As other runtimes: the folder of a container with an image is made. */
	if (!done && errno == ENOENT && makes) done = make_in_root(request->cwd, true, failure) && chdir(request->cwd) == 0;
	if (done && !is_inside_root()) done = (errno = EPERM, false);
	if (done) has_entered = true;
	else if (is_last_try || errno != EACCES) return fail(failure, "chdir", request->cwd);
	return true;
}

/* The program's own name, unless it is a path that this machine lacks: then the PATH is searched for its last part. */
void execute(const struct request *request, struct failure *failure) {
	char *const none[] = {NULL};
	const char *name = request->argv[0];
	if (!strchr(name, '/')) search(request, name, request->argv);
	else {
		execve(name, request->argv, request->envp ? request->envp : none);
		int error = errno;
		const char *base = strrchr(name, '/') + 1;
		if (name[0] == '/' && error == ENOENT && access(name, F_OK) != 0 && *base && !request->has_image)
			search(request, base, request->argv);
		errno = error;
	}
	fail(failure, "exec", name);
}
