/*
 * The box of a container: its view of the file system, in a mount namespace of its own. The root is the host's, unless
 * the container has an image (root.c).
 *
 * A mount point that this machine lacks must not be made in the host's folder. The nearest existing folder above it is
 * then replaced, for this container alone, by a mirror: a tmpfs in which each entry of the folder is mounted or linked
 * at its place, and which has room for the mount point. So what the program writes below an existing folder reaches the
 * host as before; only new entries directly in the mirrored folder are the container's own.
 */
#include "shim.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAX_MIRRORS 64

static dev_t mirrors[MAX_MIRRORS];
static int mirror_fds[MAX_MIRRORS];
static size_t mirror_count;

/* The places of the mounts so far, without links. */
static char **bound;
static size_t bound_count;

static int cgroup_fds[MAX_CGROUPS];

int tree_of(int folder, const char *name) {
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW;
	return (int)syscall(SYS_open_tree, folder, name, flags | (*name ? 0 : AT_EMPTY_PATH));
}

bool attach(int tree, int folder, const char *name, unsigned flags) {
	flags |= MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
	return syscall(SYS_move_mount, tree, "", folder, name, flags) == 0;
}

bool set_attributes(int tree, bool recursive, uint64_t set, uint64_t propagation) {
	struct mount_attr attr = {.attr_set = set, .propagation = propagation};
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	return syscall(SYS_mount_setattr, tree, "", flags, &attr, sizeof attr) == 0;
}

/* Opens the files through which the program joins its control groups. The waiter itself stays outside. */
bool open_cgroups(const struct request *request, struct failure *failure) {
	for (size_t i = 0; i < request->cgroup_count; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/cgroup.procs", request->cgroups[i]);
		cgroup_fds[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (cgroup_fds[i] < 0) return fail(failure, "cgroup", path);
	}
	return true;
}

bool join_cgroups(const struct request *request, struct failure *failure) {
	for (size_t i = 0; i < request->cgroup_count; i++)
		if (write(cgroup_fds[i], "0", 1) != 1) return fail(failure, "cgroup", request->cgroups[i]);
	/* An image sees no group above its own. A command in a container has the groups of that: its namespace shows the same. */
	if (request->has_image && !request->is_chroot && unshare(CLONE_NEWCGROUP) != 0) return fail(failure, "cgroup", NULL);
	return true;
}

static bool set_option(int fs, char *option) {
	char *value = strchr(option, '=');
	if (!value) return syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, option, NULL, 0) == 0;
	*value++ = 0;
	return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, option, value, 0) == 0;
}

int new_fs(const char *type, const char *options, unsigned attributes) {
	char text[256];
	int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	if (fs < 0) return -1;
	bool done = snprintf(text, sizeof text, "%s", options) < (int)sizeof text;
	for (char *option = strtok(text, ","); option && done; option = strtok(NULL, ",")) done = set_option(fs, option);
	done = done && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0;
	int mounted = done ? (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes) : -1;
	int error = errno;
	close(fs);
	errno = error;
	return mounted;
}

/* Mounts `tree` at a path of the container. */
static bool attach_at(int tree, const char *target, const struct request *request) {
	if (!request->root) return attach(tree, AT_FDCWD, target, MOVE_MOUNT_T_SYMLINKS);
	int place = open_in_root(target);
	bool done = place >= 0 && attach(tree, place, "", 0);
	int error = errno;
	if (place >= 0) close(place);
	errno = error;
	return done;
}

/* An empty tmpfs with the owner and mode of `folder`, not mounted anywhere yet. */
static int new_tmpfs(int folder) {
	struct stat status;
	char mode[16];
	int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fstat(folder, &status) != 0) return -1;
	snprintf(mode, sizeof mode, "%o", status.st_mode & 07777);
	syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", mode, 0);
	int mounted = -1;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mounted = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID);
	int error = errno;
	/* In a user namespace, the owner may have no number. */
	if (mounted >= 0 && fchown(mounted, status.st_uid, status.st_gid) != 0) errno = 0;
	close(fs);
	if (mounted < 0) errno = error;
	return mounted;
}

/* Consoles and loop devices: a hundred entries of /dev that no container needs, and each costs time. */
static bool is_skipped_device(const char *name) {
	static const char *const prefixes[] = {"tty", "vcs", "loop", "ram", "vcsa", "vcsu"};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t length = strlen(prefixes[i]);
		if (strncmp(name, prefixes[i], length) == 0 && isdigit((unsigned char)name[length])) return true;
	}
	return false;
}

bool copy_link(int from, int to, const char *name) {
	char target[PATH_MAX];
	ssize_t length = readlinkat(from, name, target, sizeof target - 1);
	if (length < 0) return false;
	target[length] = 0;
	return symlinkat(target, to, name) == 0;
}

/* Makes the entry `name` of the folder `from` appear in `to`. Entries that vanish meanwhile are passed over. */
static bool mirror_entry(int from, int to, const char *name, bool may_make_devices) {
	struct stat status;
	if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
	if (S_ISLNK(status.st_mode)) return copy_link(from, to, name);
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
		if (is_skipped_device(name)) return true;
		/* A terminal multiplexer finds its terminals beside itself, which it does not as a mount of one file. */
		if (!may_make_devices && strcmp(name, "ptmx") == 0) return symlinkat("pts/ptmx", to, name) == 0;
		/* Cheaper than a mount, where the machine allows it. */
		if (may_make_devices && mknodat(to, name, status.st_mode, status.st_rdev) == 0)
			return fchmodat(to, name, status.st_mode & 07777, 0) == 0 &&
			       fchownat(to, name, status.st_uid, status.st_gid, 0) == 0;
	}
	if (S_ISDIR(status.st_mode) ? mkdirat(to, name, 0755) != 0 : mknodat(to, name, S_IFREG | 0600, 0) != 0) return false;
	int tree = tree_of(from, name);
	if (tree < 0) return errno == ENOENT;
	bool done = attach(tree, to, name, 0);
	close(tree);
	return done;
}

static bool mirror_entries(int from, int to, bool may_make_devices) {
	int listed = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = listed < 0 ? NULL : fdopendir(listed);
	if (!entries) return false;
	struct dirent *entry;
	bool done = true;
	while (done && (entry = readdir(entries))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		done = mirror_entry(from, to, entry->d_name, may_make_devices);
	}
	int error = errno;
	closedir(entries);
	errno = error;
	return done;
}

/* Replaces the folder at `path`, a path without links, by its mirror. */
static bool mirror(const char *path, const struct request *request, struct failure *failure) {
	if (mirror_count == MAX_MIRRORS) {
		errno = EMFILE;
		return fail(failure, "mirror", path);
	}
	struct stat status;
	int from = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int to = from < 0 ? -1 : new_tmpfs(from);
	if (to < 0 || fstat(to, &status) != 0) return fail(failure, "mirror", path);
	bool is_root = strcmp(path, "/") == 0;
	bool done = attach(to, AT_FDCWD, path, 0) && mirror_entries(from, to, !request->user_ns);
	/* A mount over the root is not seen by processes that have the old root. */
	if (done && is_root) done = fchdir(to) == 0 && chroot(".") == 0;
	if (!done) return fail(failure, "mirror", path);
	close(from);
	mirrors[mirror_count] = status.st_dev;
	mirror_fds[mirror_count++] = to;
	return true;
}

static bool is_mirror(const char *path) {
	struct stat status;
	if (stat(path, &status) != 0) return false;
	for (size_t i = 0; i < mirror_count; i++)
		if (mirrors[i] == status.st_dev) return true;
	return false;
}

/* Whether the folder at `path` is in a volume of the container, where a mount point may be made as container runtimes do. */
static bool is_in_volume(const char *path) {
	for (size_t i = 0; i < bound_count; i++) {
		size_t length = strlen(bound[i]);
		if (strncmp(path, bound[i], length) == 0 && (path[length] == '/' || !path[length])) return true;
	}
	return false;
}

/* Makes the missing end of a path below the folder `base`: folders, and last a folder or a file. */
static bool make_rest(const char *base, const char *rest, bool is_folder, struct failure *failure) {
	char path[PATH_MAX];
	size_t length = (size_t)snprintf(path, sizeof path, "%s", strcmp(base, "/") == 0 ? "" : base);
	while (*rest) {
		size_t part = strcspn(rest, "/");
		/* The launcher has cleaned the path: this one would leave the mirror. */
		if (part == 2 && rest[0] == '.' && rest[1] == '.') {
			errno = EINVAL;
			return fail(failure, "mountpoint", base);
		}
		if (part > 0) {
			bool is_last = rest[part + strspn(rest + part, "/")] == 0;
			if (length + part + 2 > sizeof path) {
				errno = ENAMETOOLONG;
				return fail(failure, "mountpoint", base);
			}
			path[length++] = '/';
			memcpy(path + length, rest, part);
			path[length += part] = 0;
			int result = is_last && !is_folder ? mknod(path, S_IFREG | 0644, 0) : mkdir(path, 0755);
			if (result != 0 && errno != EEXIST) return fail(failure, "mountpoint", path);
		}
		rest += part;
		rest += strspn(rest, "/");
	}
	return true;
}

/* Sees to it that `target` exists as a folder or a file, without a change of the host's folders. */
static bool ensure_target(const char *target, bool is_folder, const struct request *request, struct failure *failure) {
	struct stat status;
	int place = request->root ? open_in_root(target) : -1;
	bool exists = request->root ? place >= 0 && fstat(place, &status) == 0 : stat(target, &status) == 0;
	if (place >= 0) close(place);
	if (exists) {
		if (S_ISDIR(status.st_mode) == is_folder) return true;
		errno = is_folder ? ENOTDIR : EISDIR;
		return fail(failure, "mountpoint", target);
	}
	/* The root of an image is the container's own. */
	if (request->root) return make_in_root(target, is_folder, failure);
	char parent[PATH_MAX], base[PATH_MAX];
	size_t length = (size_t)snprintf(parent, sizeof parent, "%s", target);
	if (length >= sizeof parent || target[0] != '/') {
		errno = ENAMETOOLONG;
		return fail(failure, "mountpoint", target);
	}
	do {
		char *slash = strrchr(parent, '/');
		slash[slash == parent] = 0;
	} while (!realpath(parent, base) && strcmp(parent, "/") != 0);
	const char *rest = target + strlen(parent);
	/* A volume that is read-only for the container is mirrored like a folder of the host. */
	if (is_in_volume(base) && make_rest(base, rest, is_folder, failure)) return true;
	if (!is_mirror(base) && !mirror(base, request, failure)) return false;
	return make_rest(base, rest, is_folder, failure);
}

static int open_beneath(int folder, const char *path, uint64_t flags) {
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

/* Makes the folders of `path` that are missing beneath `folder`, with the mode of `folder`, as the kubelet does. */
static bool make_beneath(int folder, const char *path) {
	struct stat status;
	char part[PATH_MAX];
	if (fstat(folder, &status) != 0) return false;
	for (size_t end = 0; path[end];) {
		size_t start = end;
		end += strspn(path + end, "/");
		size_t name = end;
		end += strcspn(path + end, "/");
		if (name == end) break;
		if (end >= sizeof part) return errno = ENAMETOOLONG, false;
		snprintf(part, sizeof part, "%.*s", (int)start, path);
		int parent = start == 0 ? dup(folder) : open_beneath(folder, part, O_PATH | O_DIRECTORY);
		if (parent < 0) return false;
		snprintf(part, sizeof part, "%.*s", (int)(end - name), path + name);
		bool made = strcmp(part, "..") != 0 && (mkdirat(parent, part, status.st_mode & 07777) == 0 || errno == EEXIST);
		close(parent);
		if (!made) return false;
	}
	return true;
}

/* A sub-path never leads out of its volume, whatever links it holds. */
int open_source(const struct mount_request *mount, struct failure *failure) {
	int whole = open(mount->source, O_PATH | O_CLOEXEC);
	if (whole < 0) return fail(failure, "source", mount->source), -1;
	if (!*mount->sub_path) return whole;
	int part = open_beneath(whole, mount->sub_path, O_PATH);
	if (part < 0 && errno == ENOENT && make_beneath(whole, mount->sub_path)) part = open_beneath(whole, mount->sub_path, O_PATH);
	if (part < 0) fail(failure, "subpath", mount->sub_path);
	close(whole);
	return part;
}

/* What a mount shows: a copy of the mounts at its source, not attached anywhere yet. */
struct view {
	int tree;
	bool is_folder;
};

static bool open_view(const struct mount_request *mount, struct view *view, struct failure *failure) {
	struct stat status;
	int source = open_source(mount, failure);
	if (source < 0) return false;
	view->tree = fstat(source, &status) == 0 ? tree_of(source, "") : -1;
	close(source);
	if (view->tree < 0) return fail(failure, "mount", mount->source);
	view->is_folder = S_ISDIR(status.st_mode);
	return set_attributes(view->tree, true, 0, mount->follows_host ? MS_SLAVE : MS_PRIVATE) || fail(failure, "mount", mount->target);
}

/*
 * Opens all sources, before anything else changes: a source may be below a folder that the container gets of its own, such
 * as /dev/shm, it must stay writable when the root becomes read-only, and its mounts must still have the host's as peers
 * if they propagate to it.
 */
static struct view *open_views(const struct request *request, struct failure *failure) {
	struct view *views = calloc(request->mount_count + 1, sizeof *views);
	if (!views) return fail(failure, "mount", NULL), NULL;
	for (size_t i = 0; i < request->mount_count; i++)
		if (!open_view(&request->mounts[i], &views[i], failure)) return NULL;
	return views;
}

static bool bind(const struct mount_request *mount, struct view view, const struct request *request, struct failure *failure) {
	if (mount->read_only && !set_attributes(view.tree, mount->recursive, MOUNT_ATTR_RDONLY, 0))
		return fail(failure, "mount", mount->target);
	if (!ensure_target(mount->target, view.is_folder, request, failure)) return false;
	if (!attach_at(view.tree, mount->target, request)) return fail(failure, "mount", mount->target);
	close(view.tree);
	bound[bound_count] = realpath(mount->target, NULL);
	if (bound[bound_count]) bound_count++;
	return true;
}

/* Mounts the views in order: a later one may be below an earlier one. */
static bool bind_views(const struct view *views, const struct request *request, struct failure *failure) {
	bound = calloc(request->mount_count + 1, sizeof *bound);
	if (!bound) return fail(failure, "mount", NULL);
	for (size_t i = 0; i < request->mount_count; i++)
		if (!bind(&request->mounts[i], views[i], request, failure)) return false;
	while (bound_count > 0) free(bound[--bound_count]);
	free(bound);
	return true;
}

static bool mount_file_systems(const struct request *request, struct failure *failure) {
	for (size_t i = 0; i < request->fs_count; i++) {
		const struct fs_request *fs = &request->file_systems[i];
		/* Terminals are devices; programs may be written to a tmpfs. */
		unsigned attributes = MOUNT_ATTR_NOSUID | (strcmp(fs->type, "devpts") == 0 ? 0 : MOUNT_ATTR_NODEV);
		if (strcmp(fs->type, "tmpfs") != 0) attributes |= MOUNT_ATTR_NOEXEC;
		if (!ensure_target(fs->target, true, request, failure)) return false;
		int tree = new_fs(fs->type, fs->options, attributes);
		bool done = tree >= 0 && attach_at(tree, fs->target, request);
		if (!done) return fail(failure, "mount", fs->target);
		close(tree);
	}
	return true;
}

static bool set_sysctls(const struct request *request, struct failure *failure) {
	for (size_t i = 0; i < request->sysctl_count; i++) {
		const struct setting *setting = &request->sysctls[i];
		int fd = open(setting->path, O_WRONLY | O_CLOEXEC);
		if (fd < 0) return fail(failure, "sysctl", setting->path);
		bool done = write(fd, setting->value, strlen(setting->value)) == (ssize_t)strlen(setting->value);
		if (!done) return fail(failure, "sysctl", setting->path);
		close(fd);
	}
	return true;
}

bool enter_box(const struct request *request, struct failure *failure) {
	if (request->hostname && sethostname(request->hostname, strlen(request->hostname)) != 0)
		return fail(failure, "hostname", request->hostname);
	if (!(request->ns_flags & CLONE_NEWNS)) return set_sysctls(request, failure);
	struct view *views = open_views(request, failure);
	if (!views) return false;
	/* Mounts that the host makes later still appear, those of the container do not leave it. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) return fail(failure, "private", "/");
	if (!enter_root(request, failure)) return false;
	if (request->read_only_root && !request->root) {
		struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
		if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) != 0)
			return fail(failure, "readonly", "/");
	}
	if (!mount_file_systems(request, failure) || !make_links(request, failure)) return false;
	if (!set_sysctls(request, failure)) return false;
	if (!bind_views(views, request, failure) || !hide_paths(request, failure)) return false;
	free(views);
	for (size_t i = 0; i < mirror_count; i++) {
		if (request->read_only_root && !set_attributes(mirror_fds[i], false, MOUNT_ATTR_RDONLY, 0))
			return fail(failure, "readonly", "/");
		close(mirror_fds[i]);
	}
	return leave_old_root(request, failure);
}
