/*
 * Tries what this machine allows, with processes that do what a container's waiter does. Prints a line per fact:
 * "box root", "box user" or "box none errno step", whether a private /proc can be mounted: "pid yes", and if so, whether a
 * container can have a root of its own: "root yes". If a folder is given, whether it can hold such a root as an overlay:
 * "overlay yes"; or where there is none, whether it can hold one that is entered by chroot: "chroot yes".
 */
#include "shim.h"
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static struct fs_request proc = {"proc", "/proc", ""};

static bool enter_trial_box(const struct request *request, int *made, struct failure *failure) {
	(void)made;
	return enter_box(request, failure);
}

/* Enters the box `given` in a child; returns false with the failure if the machine refuses it. */
static bool try_box(uint64_t flags, const struct request *given, struct failure *failure) {
	char uids[64], gids[64];
	struct request request = *given;
	int made;
	/* The user of this process is root in there. */
	snprintf(uids, sizeof uids, "0 %d 1", (int)geteuid());
	snprintf(gids, sizeof gids, "0 %d 1", (int)getegid());
	request.uid_map = uids;
	request.gid_map = gids;
	request.ns_flags = flags;
	request.hostname = "probe";
	request.user_ns = (flags & CLONE_NEWUSER) != 0;
	return by_child(&request, flags, enter_trial_box, &made, failure);
}

/* Mounts an overlay of the folders `lower`, `upper` and `work` in `folder` at its `root`. */
static bool try_overlay(uint64_t flags, const char *folder, struct failure *failure) {
	char lower[PATH_MAX], upper[PATH_MAX], work[PATH_MAX], root[PATH_MAX], *layers[] = {lower};
	snprintf(lower, sizeof lower, "%s/lower", folder);
	snprintf(upper, sizeof upper, "%s/upper", folder);
	snprintf(work, sizeof work, "%s/work", folder);
	snprintf(root, sizeof root, "%s/root", folder);
	struct request request = {.has_image = true, .root = root, .lower = layers, .lower_count = 1, .upper = upper, .work = work};
	request.file_systems = &proc;
	request.fs_count = 1;
	return try_box(flags, &request, failure);
}

/* Does what a container by chroot needs, with root's rights over other users and devices. */
static bool enter_trial_root(const struct request *request, int *made, struct failure *failure) {
	(void)made;
	/* As when an image is unpacked. */
	if (chown(request->root, 1, 1) != 0) return fail(failure, "chown", request->root);
	if (!enter_chroot(request, failure)) return false;
	/* Not on a file system that is mounted without devices. */
	if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0) return fail(failure, "open", "/dev/null");
	return take_identity(request, failure);
}

static bool try_chroot(const char *folder, struct failure *failure) {
	char root[PATH_MAX];
	int made;
	snprintf(root, sizeof root, "%s/root", folder);
	struct mount_request null = {.source = "/dev/null", .sub_path = "", .target = "/dev/null"};
	struct request request = {.has_image = true, .is_chroot = true, .root = root, .mounts = &null, .mount_count = 1};
	request.set_groups = request.set_user = true;
	request.uid = request.gid = 1;
	return by_child(&request, 0, enter_trial_root, &made, failure);
}

static void print_result(const char *name, bool done, const struct failure *failure) {
	if (done) printf("%s yes\n", name);
	else printf("%s no %d %s\n", name, failure->error, failure->step ? failure->step : "");
}

int probe(const char *folder) {
	const uint64_t all = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
	const struct request plain = {0}, with_proc = {.file_systems = &proc, .fs_count = 1};
	/* Any folder will do for the root: it is only entered. */
	const struct request with_root = {.has_image = true, .root = "/proc"};
	struct failure failure = {0};
	const char *level = "root";
	uint64_t extra = 0;
	if (!try_box(all, &plain, &failure)) {
		level = "user";
		extra = CLONE_NEWUSER;
		struct failure second = {0};
		if (!try_box(all | extra, &plain, &second)) {
			printf("box none %d %s\n", second.error, second.step);
			if (folder) print_result("chroot", try_chroot(folder, &failure), &failure);
			return 0;
		}
	}
	printf("box %s\n", level);
	bool has_pids = try_box(all | extra, &with_proc, &failure);
	print_result("pid", has_pids, &failure);
	bool has_roots = has_pids && try_box(all | extra, &with_root, &failure);
	if (has_pids) print_result("root", has_roots, &failure);
	if (folder && !has_roots) print_result("chroot", try_chroot(folder, &failure), &failure);
	if (folder && has_roots) print_result("overlay", try_overlay(all | extra, folder, &failure), &failure);
	return 0;
}
