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
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel takes one page of options. */
#define LONGEST_OPTIONS 4000

static int old_root = -1, new_root = -1;

/* Opens a folder to name it by its descriptor: its path may hold the characters that separate the options of an overlay. */
static int open_folder(const char *path) {
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Mounts the overlay at the root folder. The names of the layers are relative to the folder that holds them all. */
static bool mount_overlay(const struct request *request, struct failure *failure) {
	char options[LONGEST_OPTIONS];
	int upper = open_folder(request->upper), work = open_folder(request->work);
	if (upper < 0 || work < 0) return fail(failure, "overlay", request->upper);
	if (chdir(request->layers) != 0) return fail(failure, "layers", request->layers);
	/* In a user namespace, only the attributes `user.` of files can be written. */
	const char *attributes = request->user_ns ? ",userxattr" : "";
	int length = snprintf(options, sizeof options, "lowerdir=%s,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d%s",
			      request->lower, upper, work, attributes);
	if (length >= (int)sizeof options) return errno = ENAMETOOLONG, fail(failure, "overlay", request->layers);
	if (mount("overlay", request->root, "overlay", MS_NODEV, options) != 0) return fail(failure, "overlay", request->root);
	close(upper);
	close(work);
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
	if (!(request->lower ? mount_overlay : mount_copy)(request, failure)) return false;
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

/* Covers a path that the container must not read: a file by the null device, a folder by an empty one. */
static bool mask(const char *path, struct failure *failure) {
	struct stat status;
	if (stat(path, &status) != 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES || fail(failure, "mask", path);
	if (S_ISDIR(status.st_mode))
		return mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,mode=555") == 0 || fail(failure, "mask", path);
	int null = tree_of(AT_FDCWD, "/dev/null");
	bool done = null >= 0 && attach(null, AT_FDCWD, path, MOVE_MOUNT_T_SYMLINKS);
	if (!done) fail(failure, "mask", path);
	if (null >= 0) close(null);
	return done;
}

static bool protect(const char *path, struct failure *failure) {
	int tree = tree_of(AT_FDCWD, path);
	if (tree < 0) return errno == ENOENT || errno == ENOTDIR || fail(failure, "protect", path);
	bool done = set_attributes(tree, true, MOUNT_ATTR_RDONLY, 0) && attach(tree, AT_FDCWD, path, 0);
	if (!done) fail(failure, "protect", path);
	close(tree);
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
		if (symlink(link->value, link->path) != 0 && errno != EEXIST) return fail(failure, "link", link->path);
	}
	return true;
}
