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
	bool done = mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0 || errno == EEXIST;
	int error = errno;
	close(parent);
	errno = error;
	return done;
}

static bool set_attribute(int folder, const char *path, const char *attribute, const void *value, size_t length) {
	struct stat status;
	char name[32];
	/* Not opened for reading: the file may be unreadable, or a pipe. */
	int fd = open_inside(folder, path, O_PATH | O_NOFOLLOW);
	if (fd < 0) return false;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	bool done = fstat(fd, &status) == 0 && (S_ISLNK(status.st_mode) || setxattr(name, attribute, value, length, 0) == 0);
	int error = errno;
	close(fd);
	errno = error;
	return done;
}

static int digit_of(char character) {
	const char *digits = "0123456789abcdef", *at = character ? strchr(digits, character) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* "NAME VALUE PATH". Attributes that this user may not set are left out, as by other unpackers. */
static bool copy_attribute(int folder, char *text) {
	unsigned char value[PATH_MAX];
	size_t length = 0;
	char *at = strchr(text, ' '), *path = at ? strchr(at + 1, ' ') : NULL;
	if (!path) return errno = EINVAL, false;
	*at++ = 0;
	for (; at + 1 < path && length < sizeof value; at += 2) {
		int high = digit_of(at[0]), low = digit_of(at[1]);
		if (high < 0 || low < 0) return errno = EINVAL, false;
		value[length++] = (unsigned char)(high << 4 | low);
	}
	return set_attribute(folder, path + 1, text, value, length) || errno == EPERM || errno == ENOTSUP || errno == ERANGE || errno == E2BIG;
}

static bool mark(int folder, char *line, const char *opaque) {
	/* Nothing of an opaque folder in the layers below is seen. */
	if (line[0] == 'o') return set_attribute(folder, line + 2, opaque, "y", 1);
	return line[0] == 'w' ? make_whiteout(folder, line + 2) : line[0] == 'x' && copy_attribute(folder, line + 2);
}

/*
 * Reads lines from standard input, each ended by a zero byte: "w PATH" for a whiteout, "o PATH" for a folder that hides
 * those below, "x NAME VALUE PATH" for an extended attribute with its value in hexadecimal digits. With `user`, the
 * attributes of folders are those that an overlay in a user namespace reads.
 */
int mark_layer(const char *path, bool user) {
	const char *attribute = user ? "user.overlay.opaque" : "trusted.overlay.opaque";
	int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) return perror(path), 1;
	static char line[4 * PATH_MAX];
	size_t length = 0;
	int byte;
	while ((byte = getchar()) != EOF) {
		if (length == sizeof line) return fputs("a path is too long\n", stderr), 1;
		line[length++] = (char)byte;
		if (byte != 0) continue;
		length = 0;
		if (!mark(folder, line, attribute)) return fprintf(stderr, "%c: %s\n", line[0], strerror(errno)), 1;
	}
	return 0;
}
