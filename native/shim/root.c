/*
 * The root file system of a container that has an image: an overlay of the image's layers with a writable layer of the
 * container's own, or a folder with a copy of the image.
 *
 * While its parts are mounted, the waiter only has its root there, by chroot(2): all paths of the container then resolve
 * inside it, whatever links the image holds, and the old root is still in view, without which the kernel refuses a /proc
 * in a user namespace. At the end the old root goes, by pivot_root(2).
 */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As many as an image may have, and the space for their names: the kernel takes one page of options. */
#define MAX_LAYERS 127
/* As many links as Linux follows in a path. */
#define MAX_LINKS 40
#define LONGEST_OPTIONS 4080

static int old_root = -1, new_root = -1;

/* The options of an overlay. Folders are named by their descriptors: shorter than a path, and without its separators. */
struct options {
	char text[LONGEST_OPTIONS + sizeof ",userxattr"];
	size_t length;
	int fds[MAX_LAYERS + 2];
	size_t count;
};

static bool add_folder(struct options *options, const char *before, const char *path) {
	if (options->count == sizeof options->fds / sizeof *options->fds) return errno = EMFILE, false;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return false;
	options->fds[options->count++] = fd;
	size_t room = LONGEST_OPTIONS - options->length;
	int length = snprintf(options->text + options->length, room, "%s/proc/self/fd/%d", before, fd);
	options->length += (size_t)length;
	return (size_t)length < room || (errno = ENAMETOOLONG, false);
}

/* Mounts the overlay at the root folder. */
static bool mount_overlay(const struct request *request, struct failure *failure) {
	struct options options = {.length = 0};
	for (size_t i = 0; i < request->lower_count; i++)
		if (!add_folder(&options, i == 0 ? "lowerdir=" : ":", request->lower[i])) return fail(failure, "layer", request->lower[i]);
	if (!add_folder(&options, ",upperdir=", request->upper) || !add_folder(&options, ",workdir=", request->work))
		return fail(failure, "overlay", request->upper);
	/* In a user namespace, only the attributes `user.` of files can be written. */
	if (request->user_ns) strcat(options.text, ",userxattr");
	if (mount("overlay", request->root, "overlay", MS_NODEV, options.text) != 0) return fail(failure, "overlay", request->root);
	while (options.count > 0) close(options.fds[--options.count]);
	return true;
}

static bool mount_copy(const struct request *request, struct failure *failure) {
	int tree = tree_of(AT_FDCWD, request->root);
	bool done = tree >= 0 && attach(tree, AT_FDCWD, request->root, 0);
	if (!done) return fail(failure, "root", request->root);
	close(tree);
	return true;
}

bool enter_root(const struct request *request, struct failure *failure) {
	if (!request->root) return true;
	if (!(request->lower_count > 0 ? mount_overlay : mount_copy)(request, failure)) return false;
	old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	new_root = open(request->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool done = old_root >= 0 && new_root >= 0 && fchdir(new_root) == 0 && chroot(".") == 0;
	return done || fail(failure, "root", request->root);
}

bool leave_old_root(const struct request *request, struct failure *failure) {
	if (!request->root) return true;
	bool done = fchdir(old_root) == 0 && chroot(".") == 0 && fchdir(new_root) == 0;
	if (request->read_only_root) done = done && set_attributes(new_root, false, MOUNT_ATTR_RDONLY, 0);
	/* The old root is stacked below the new one, then taken away with all that is mounted in it. */
	done = done && syscall(SYS_pivot_root, ".", ".") == 0 && fchdir(old_root) == 0;
	done = done && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
	close(old_root);
	close(new_root);
	return done || fail(failure, "pivot", request->root);
}

/*
 * Opens a path of the container's root, which this process has entered. Links are followed inside it; those of /proc, which
 * lead to whatever this process has open, are refused.
 */
int open_in_root(const char *path) {
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof how);
	int error = errno;
	if (root >= 0) close(root);
	errno = error;
	return fd;
}

/* Makes the last part of `path`, whose folder exists: a folder or a file. Or reads the link that it is into `link`. */
static ssize_t make_last(char *path, size_t start, bool is_folder, char link[PATH_MAX]) {
	char first = path[start], *name = path + start;
	path[start] = 0;
	int parent = open_in_root(*path ? path : "/");
	path[start] = first;
	if (parent < 0) return -1;
	ssize_t length = readlinkat(parent, name, link, PATH_MAX - 1);
	if (length < 0) length = (is_folder ? mkdirat(parent, name, 0755) : mknodat(parent, name, S_IFREG | 0644, 0)) == 0 ? 0 : -1;
	int error = errno;
	close(parent);
	errno = error;
	return length;
}

/*
 * Makes a path in the root of the container that this process has entered: folders, and last a folder or a file. A link
 * that leads nowhere is followed, and what it names is made, as other runtimes do.
 */
bool make_in_root(const char *target, bool is_folder, struct failure *failure) {
	char path[PATH_MAX], link[PATH_MAX], next[PATH_MAX];
	if (snprintf(path, sizeof path, "%s", target) >= (int)sizeof path) return errno = ENAMETOOLONG, fail(failure, "mountpoint", target);
	size_t at = 0;
	for (int links = 0; links < MAX_LINKS;) {
		at += strspn(path + at, "/");
		if (!path[at]) return true;
		size_t start = at;
		at += strcspn(path + at, "/");
		const char *rest = path + at + strspn(path + at, "/");
		char end = path[at];
		path[at] = 0;
		int fd = open_in_root(path);
		bool exists = fd >= 0;
		if (exists) close(fd);
		ssize_t length = exists ? 0 : errno == ENOENT ? make_last(path, start, *rest || is_folder, link) : -1;
		if (length < 0) return fail(failure, "mountpoint", path);
		path[at] = end;
		if (length == 0) continue;
		/* A link: what it names, with the rest of the path. */
		link[length] = 0;
		path[start] = 0;
		int room = snprintf(next, sizeof next, "%s%s/%s", link[0] == '/' ? "" : path, link, rest);
		if (room >= (int)sizeof next) return errno = ENAMETOOLONG, fail(failure, "mountpoint", target);
		memcpy(path, next, (size_t)room + 1);
		at = 0;
		links++;
	}
	errno = ELOOP;
	return fail(failure, "mountpoint", target);
}

/* Covers a path that the container must not read: a file by the null device, a folder by an empty one. */
static bool mask(const char *path, struct failure *failure) {
	struct stat status;
	int fd = open_in_root(path);
	/* What the container's user may not see needs no mask. */
	if (fd < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES || fail(failure, "mask", path);
	bool is_folder = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
	int tree = is_folder ? new_fs("tmpfs", "size=0,mode=555", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC) : -1;
	int null = is_folder ? -1 : open_in_root("/dev/null");
	if (null >= 0) tree = tree_of(null, "");
	bool done = tree >= 0 && attach(tree, fd, "", 0);
	if (!done) fail(failure, "mask", path);
	if (null >= 0) close(null);
	if (tree >= 0) close(tree);
	close(fd);
	return done;
}

static bool protect(const char *path, struct failure *failure) {
	int fd = open_in_root(path);
	if (fd < 0) return errno == ENOENT || errno == ENOTDIR || fail(failure, "protect", path);
	int tree = tree_of(fd, "");
	bool done = tree >= 0 && set_attributes(tree, true, MOUNT_ATTR_RDONLY, 0) && attach(tree, fd, "", 0);
	if (!done) fail(failure, "protect", path);
	if (tree >= 0) close(tree);
	close(fd);
	return done;
}

bool hide_paths(const struct request *request, struct failure *failure) {
	for (size_t i = 0; i < request->masked_count; i++)
		if (!mask(request->masked[i], failure)) return false;
	for (size_t i = 0; i < request->protected_count; i++)
		if (!protect(request->protected[i], failure)) return false;
	return true;
}

bool make_links(const struct request *request, struct failure *failure) {
	for (size_t i = 0; i < request->link_count; i++) {
		const struct setting *link = &request->links[i];
		char folder[PATH_MAX];
		const char *slash = strrchr(link->path, '/');
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - link->path), link->path);
		int parent = open_in_root(folder);
		bool done = parent >= 0 && (symlinkat(link->value, parent, slash + 1) == 0 || errno == EEXIST);
		if (!done) return fail(failure, "link", link->path);
		close(parent);
	}
	return true;
}
