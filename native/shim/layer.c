/*
 * What makes an unpacked layer a lower folder of an overlay, and needs calls that Node.js lacks: whiteouts, and folders
 * that hide those of the layers below. Paths come from images and are not trusted: none is followed out of the folder, nor
 * through a link.
 */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static int open_inside(int folder, const char *path, uint64_t flags) {
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	return (int)syscall(SYS_openat2, folder, *path ? path : ".", &how, sizeof how);
}

/* A character device 0/0, which every user may make: the entry of the layers below is gone. */
static bool make_whiteout(int folder, char *path) {
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (slash) *slash = 0;
	int parent = open_inside(folder, slash ? path : "", O_PATH | O_DIRECTORY);
	if (parent < 0) return false;
	bool done = mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0;
	int error = errno;
	close(parent);
	errno = error;
	return done;
}

/* Nothing of the folder in the layers below is seen. */
static bool make_opaque(int folder, const char *path, const char *attribute) {
	int fd = open_inside(folder, path, O_RDONLY | O_DIRECTORY);
	bool done = fd >= 0 && fsetxattr(fd, attribute, "y", 1, 0) == 0;
	int error = errno;
	if (fd >= 0) close(fd);
	errno = error;
	return done;
}

/*
 * Reads lines of the form "w PATH" and "o PATH" from standard input, each ended by a zero byte. With `user`, the
 * attributes are those that an overlay in a user namespace reads.
 */
int mark_layer(const char *path, bool user) {
	const char *attribute = user ? "user.overlay.opaque" : "trusted.overlay.opaque";
	int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) return perror(path), 1;
	char line[PATH_MAX + 2];
	size_t length = 0;
	int byte;
	while ((byte = getchar()) != EOF) {
		if (length == sizeof line) return fputs("a path is too long\n", stderr), 1;
		line[length++] = (char)byte;
		if (byte != 0) continue;
		length = 0;
		bool done = line[0] == 'w' ? make_whiteout(folder, line + 2) : make_opaque(folder, line + 2, attribute);
		if (!done) return fprintf(stderr, "%c: %s\n", line[0], strerror(errno)), 1;
	}
	return 0;
}
