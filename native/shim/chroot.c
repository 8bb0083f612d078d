/*
 * The root of a container with an image where the machine refuses namespaces and mounts: a folder with a copy of the
 * image, which the program's process enters by chroot(2). What would be mounted is copied into the folder instead: files,
 * folders and devices. The waiter stays outside.
 *
 * This confines paths only. The launcher takes CAP_SYS_CHROOT and CAP_MKNOD from the container, with which root leaves
 * such a root; processes and the network are those of the machine.
 */
#include "shim.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Far deeper than the files of an object of the API. */
#define MAX_DEPTH 32
/* What the kubelet reads of the end of a termination message. */
#define LONGEST_MESSAGE 4096

static bool closing(int fd, bool done) {
	int error = errno;
	if (fd >= 0) close(fd);
	errno = error;
	return done;
}

static bool is_dots(const char *name) {
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Calls `act` for the entries of a folder, until it returns false. */
static bool each_entry(int folder, bool (*act)(int folder, const char *name, int to, int depth), int to, int depth) {
	if (depth > MAX_DEPTH) return errno = ELOOP, false;
	int listed = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = listed < 0 ? NULL : fdopendir(listed);
	if (!entries) return closing(listed, false);
	struct dirent *entry;
	bool done = true;
	while (done && (entry = readdir(entries)))
		if (!is_dots(entry->d_name)) done = act(folder, entry->d_name, to, depth);
	int error = errno;
	closedir(entries);
	errno = error;
	return done;
}

static int open_folder(int folder, const char *name) {
	return openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool remove_entry(int folder, const char *name, int unused, int depth) {
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return true;
	if (errno != EISDIR && errno != EPERM) return false;
	int inner = open_folder(folder, name);
	bool done = inner >= 0 && each_entry(inner, remove_entry, unused, depth + 1);
	return closing(inner, done) && unlinkat(folder, name, AT_REMOVEDIR) == 0;
}

/* Writes the content, owner and mode of the file `from` to a new file. */
static bool copy_file(int from, int folder, const char *name) {
	static char buffer[1 << 16];
	struct stat status;
	if (fstat(from, &status) != 0 || !remove_entry(folder, name, -1, 0)) return false;
	int to = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t got = 0;
	bool done = to >= 0;
	while (done && (got = read(from, buffer, sizeof buffer)) > 0) done = write(to, buffer, (size_t)got) == got;
	done = done && got == 0 && fchown(to, status.st_uid, status.st_gid) == 0 && fchmod(to, status.st_mode & 07777) == 0;
	return closing(to, done);
}

static bool copy_entry(int from, const char *name, int to, int depth);

static bool copy_folder(int from, int to, int depth) {
	struct stat status;
	bool done = to >= 0 && fstat(from, &status) == 0 && each_entry(from, copy_entry, to, depth);
	return done && fchown(to, status.st_uid, status.st_gid) == 0 && fchmod(to, status.st_mode & 07777) == 0;
}

static bool copy_entry(int from, const char *name, int to, int depth) {
	struct stat status;
	/* An entry that vanishes meanwhile is passed over. */
	if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
	if (S_ISLNK(status.st_mode)) return copy_link(from, to, name);
	if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) return true;
	bool is_folder = S_ISDIR(status.st_mode);
	int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0) return errno == ENOENT;
	if (!is_folder) return closing(source, copy_file(source, to, name));
	int made = mkdirat(to, name, 0700) == 0 ? open_folder(to, name) : -1;
	bool done = made >= 0 && copy_folder(source, made, depth + 1);
	return closing(source, closing(made, done));
}

/* The entry of a container that a mount of the request names, and where it is found. */
struct original {
	/* Opened as a path; and for reading, unless it is a device. */
	int path, content;
	struct stat status;
};

static bool open_original(int proc, const struct mount_request *mount, struct original *original, struct failure *failure) {
	char link[64];
	original->content = -1;
	original->path = open_source(mount, failure);
	if (original->path < 0) return false;
	if (fstat(original->path, &original->status) != 0) return fail(failure, "source", mount->source);
	mode_t mode = original->status.st_mode;
	if (!S_ISREG(mode) && !S_ISDIR(mode)) return true;
	snprintf(link, sizeof link, "self/fd/%d", original->path);
	original->content = openat(proc, link, O_RDONLY | O_CLOEXEC);
	return original->content >= 0 || fail(failure, "source", mount->source);
}

/* Opens all originals, which are out of reach after chroot. */
static struct original *open_originals(const struct request *request, struct failure *failure) {
	struct original *originals = calloc(request->mount_count + 1, sizeof *originals);
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool done = originals != NULL;
	for (size_t i = 0; i < request->mount_count && done; i++)
		done = open_original(proc, &request->mounts[i], &originals[i], failure);
	if (!originals) fail(failure, "source", NULL);
	closing(proc, true);
	return done ? originals : NULL;
}

static bool copy_device(const struct stat *status, int folder, const char *name) {
	if (!remove_entry(folder, name, -1, 0) || mknodat(folder, name, status->st_mode, status->st_rdev) != 0) return false;
	return fchmodat(folder, name, status->st_mode & 07777, 0) == 0 &&
	       fchownat(folder, name, status->st_uid, status->st_gid, 0) == 0;
}

/* Replaces the folder `target` of the container, and with it what the image has there. */
static bool place_folder(const struct original *original, const char *target, struct failure *failure) {
	if (!make_in_root(target, true, failure)) return false;
	int path = open_in_root(target);
	int folder = path < 0 ? -1 : openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = folder >= 0 && each_entry(folder, remove_entry, -1, 0) && copy_folder(original->content, folder, 0);
	return closing(path, closing(folder, done)) || fail(failure, "copy", target);
}

/* Replaces the file `target` of the container, also if it is a link. */
static bool place_file(const struct original *original, const char *target, struct failure *failure) {
	char parent[PATH_MAX];
	const char *slash = strrchr(target, '/');
	if (!slash || !slash[1] || snprintf(parent, sizeof parent, "%.*s/", (int)(slash - target), target) >= (int)sizeof parent)
		return errno = EINVAL, fail(failure, "copy", target);
	if (!make_in_root(parent, true, failure)) return false;
	int folder = open_in_root(parent);
	bool is_file = original->content >= 0;
	bool done = folder >= 0 && (is_file ? copy_file(original->content, folder, slash + 1)
					    : copy_device(&original->status, folder, slash + 1));
	return closing(folder, done) || fail(failure, "copy", target);
}

static bool place(const struct original *original, const char *target, struct failure *failure) {
	bool done = (S_ISDIR(original->status.st_mode) ? place_folder : place_file)(original, target, failure);
	closing(original->content, true);
	return closing(original->path, done);
}

/* In place of a file system, an empty folder that all users may write to if the file system had let them. */
static bool make_folders(const struct request *request, struct failure *failure) {
	for (size_t i = 0; i < request->fs_count; i++) {
		const struct fs_request *fs = &request->file_systems[i];
		const char *mode = strstr(fs->options, "mode=");
		if (!make_in_root(fs->target, true, failure)) return false;
		if (mode && chmod(fs->target, (mode_t)strtoul(mode + strlen("mode="), NULL, 8)) != 0)
			return fail(failure, "chmod", fs->target);
	}
	return true;
}

bool enter_chroot(const struct request *request, struct failure *failure) {
	struct original *originals = open_originals(request, failure);
	if (!originals) return false;
	if (chdir(request->root) != 0 || chroot(".") != 0) return fail(failure, "chroot", request->root);
	bool done = make_folders(request, failure) && make_links(request, failure);
	for (size_t i = 0; i < request->mount_count && done; i++) done = place(&originals[i], request->mounts[i].target, failure);
	free(originals);
	return done;
}

/* Opens a file of the container from outside. It may be anything that the container has put there. */
static int open_of_container(const char *root, const char *path) {
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = folder < 0 ? -1 : (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
	closing(folder, true);
	return fd;
}

void copy_back(const struct request *request) {
	static char message[LONGEST_MESSAGE];
	for (size_t i = 0; i < request->mount_count; i++) {
		const struct mount_request *mount = &request->mounts[i];
		struct stat status;
		if (!mount->copies_back) continue;
		int from = open_of_container(request->root, mount->target);
		if (from < 0) continue;
		bool is_file = fstat(from, &status) == 0 && S_ISREG(status.st_mode);
		off_t start = is_file && status.st_size > LONGEST_MESSAGE ? status.st_size - LONGEST_MESSAGE : 0;
		ssize_t length = is_file ? pread(from, message, sizeof message, start) : -1;
		int to = length > 0 ? open(mount->source, O_WRONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
		/* Without it, the container ends without a message. */
		if (to >= 0 && write(to, message, (size_t)length) < 0) errno = 0;
		closing(to, true);
		closing(from, true);
	}
}
