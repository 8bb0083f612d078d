/* The user, groups, capabilities and system call filter of a program. */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The longest filter that the kernel takes. */
#define MAX_FILTER 4096

static bool drop_bounding(uint64_t keep, struct failure *failure) {
	for (int capability = 0; capability < 64; capability++) {
		if (keep >> capability & 1) continue;
		/* EINVAL: the kernel knows no further capability. */
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return errno == EINVAL || fail(failure, "capabilities", NULL);
	}
	return true;
}

static bool set_capabilities(uint64_t keep, struct failure *failure) {
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &head, data) != 0) return fail(failure, "capabilities", NULL);
	for (int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(keep >> (32 * i));
		data[i].effective &= part;
		data[i].permitted &= part;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) == 0 || fail(failure, "capabilities", NULL);
}

static struct sock_filter code[MAX_FILTER];
static size_t code_length;

bool read_filter(const struct request *request, struct failure *failure) {
	if (!request->seccomp) return true;
	int fd = open(request->seccomp, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, code, sizeof code);
	if (length <= 0 || length % (ssize_t)sizeof *code) return fail(failure, "seccomp", request->seccomp);
	close(fd);
	code_length = (size_t)length / sizeof *code;
	return true;
}

/* Loads the filter: the file holds the instructions as the kernel takes them. */
static bool filter_calls(const char *path, struct failure *failure) {
	struct sock_fprog program = {(unsigned short)code_length, code};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 || fail(failure, "seccomp", path);
}

static bool set_user(const struct request *request, struct failure *failure) {
	/* In a user namespace with a single id, the kernel forbids setgroups; nothing is asked for then. */
	if (request->set_groups && setgroups(request->group_count, request->groups) != 0) return fail(failure, "setgroups", NULL);
	if (!request->set_user) return true;
	if (setresgid(request->gid, request->gid, request->gid) != 0) return fail(failure, "setgid", NULL);
	return setresuid(request->uid, request->uid, request->uid) == 0 || fail(failure, "setuid", NULL);
}

void set_oom_score(const struct request *request) {
	char text[16];
	if (!request->set_oom_score_adj) return;
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0) return;
	int length = snprintf(text, sizeof text, "%d", request->oom_score_adj);
	/* Lowering it needs a capability that a machine may withhold even from root. */
	if (write(fd, text, (size_t)length) < 0) errno = 0;
	close(fd);
}

bool take_identity(const struct request *request, struct failure *failure) {
	if (request->set_caps && !drop_bounding(request->caps, failure)) return false;
	/* Without no_new_privs a filter needs CAP_SYS_ADMIN, so it is loaded before the capabilities go. */
	bool early = request->seccomp && !request->no_new_privs;
	if (early && !filter_calls(request->seccomp, failure)) return false;
	if (!set_user(request, failure)) return false;
	if (request->set_caps && !set_capabilities(request->caps, failure)) return false;
	if (request->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail(failure, "nonewprivs", NULL);
	return early || !request->seccomp || filter_calls(request->seccomp, failure);
}
