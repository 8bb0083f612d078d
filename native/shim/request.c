/*
 * The format of requests: a length of four bytes (little endian), then that many bytes of strings, each ended by a zero
 * byte. The first string of each field is its name; the name determines how many strings follow.
 */
#include "shim.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_fully(int fd, void *buffer, size_t length) {
	for (size_t at = 0; at < length;) {
		ssize_t got = read(fd, (char *)buffer + at, length - at);
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) return false;
		at += (size_t)got;
	}
	return true;
}

struct cursor {
	char *at, *end;
	bool damaged;
};

static char *next(struct cursor *cursor) {
	if (cursor->at >= cursor->end) {
		cursor->damaged = true;
		return "";
	}
	char *text = cursor->at;
	cursor->at += strlen(text) + 1;
	return text;
}

/* Grows `list` to hold one more element of `size` bytes; the lists double at powers of two. */
static void *grow(void *list, size_t count, size_t size) {
	if (count & (count - 1)) return list;
	void *larger = realloc(list, (count ? count * 2 : 1) * size);
	if (!larger) abort();
	return larger;
}

static void add_string(char ***list, size_t *count, char *value) {
	/* Room for one more: the list ends with a null pointer. */
	*list = grow(*list, *count + 1, sizeof **list);
	(*list)[(*count)++] = value;
	(*list)[*count] = NULL;
}

static void add_mount(struct request *request, struct cursor *cursor) {
	request->mounts = grow(request->mounts, request->mount_count, sizeof *request->mounts);
	struct mount_request *mount = &request->mounts[request->mount_count++];
	mount->source = next(cursor);
	mount->sub_path = next(cursor);
	mount->target = next(cursor);
	const char *flags = next(cursor);
	mount->read_only = strchr(flags, 'r') != NULL;
	mount->recursive = strchr(flags, 'R') != NULL;
	mount->follows_host = strchr(flags, 'H') != NULL;
	mount->copies_back = strchr(flags, 'B') != NULL;
}

static void add_fs(struct request *request, struct cursor *cursor) {
	request->file_systems = grow(request->file_systems, request->fs_count, sizeof *request->file_systems);
	struct fs_request *fs = &request->file_systems[request->fs_count++];
	fs->type = next(cursor);
	fs->target = next(cursor);
	fs->options = next(cursor);
}

static void add_setting(struct setting **list, size_t *count, struct cursor *cursor) {
	*list = grow(*list, *count, sizeof **list);
	struct setting *setting = &(*list)[(*count)++];
	setting->path = next(cursor);
	setting->value = next(cursor);
}

static void add_group(struct request *request, const char *value) {
	request->groups = grow(request->groups, request->group_count, sizeof *request->groups);
	request->groups[request->group_count++] = (gid_t)strtoul(value, NULL, 10);
}

static uint64_t namespace_flags(const char *letters) {
	static const struct {
		char letter;
		uint64_t flag;
	} table[] = {{'m', CLONE_NEWNS}, {'p', CLONE_NEWPID}, {'i', CLONE_NEWIPC}, {'h', CLONE_NEWUTS}};
	uint64_t flags = 0;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strchr(letters, table[i].letter)) flags |= table[i].flag;
	return flags;
}

/* Fields with one value that is kept as text. */
static const char **text_field(struct request *request, const char *name) {
	const struct {
		const char *name;
		const char **field;
	} table[] = {
		{"id", &request->id},			{"cwd", &request->cwd},
		{"stdin", &request->in},		{"stdout", &request->out},
		{"stderr", &request->err},		{"control", &request->control},
		{"hostname", &request->hostname},	{"seccomp", &request->seccomp},
		{"uidmap", &request->uid_map},		{"gidmap", &request->gid_map},
		{"oomfile", &request->oom_file},	{"root", &request->root},
		{"upper", &request->upper},		{"work", &request->work},
		{"netns", &request->netns},		{"network", &request->network},
		{"device", &request->device},		{"bridge", &request->bridge},
		{"address", &request->address},		{"gateway", &request->gateway},
		{"alias", &request->alias},		{"node", &request->node},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(name, table[i].name) == 0) return table[i].field;
	return NULL;
}

/* Fields without a value. */
static bool *flag_field(struct request *request, const char *name) {
	const struct {
		const char *name;
		bool *field;
	} table[] = {
		{"tty", &request->tty},
		{"enter", &request->enter},
		{"nonewprivs", &request->no_new_privs},
		{"readonlyroot", &request->read_only_root},
		{"groups", &request->set_groups},
		{"userns", &request->user_ns},
		{"image", &request->has_image},
		{"chroot", &request->is_chroot},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(name, table[i].name) == 0) return table[i].field;
	return NULL;
}

static bool decode_field(struct request *request, const char *name, struct cursor *cursor) {
	const char **text = text_field(request, name);
	bool *flag = flag_field(request, name);
	if (text) *text = next(cursor);
	else if (flag) *flag = true;
	else if (strcmp(name, "arg") == 0) add_string(&request->argv, &request->argc, next(cursor));
	else if (strcmp(name, "env") == 0) add_string(&request->envp, &request->envc, next(cursor));
	else if (strcmp(name, "mount") == 0) add_mount(request, cursor);
	else if (strcmp(name, "fs") == 0) add_fs(request, cursor);
	else if (strcmp(name, "lower") == 0) add_string(&request->lower, &request->lower_count, next(cursor));
	else if (strcmp(name, "mask") == 0) add_string(&request->masked, &request->masked_count, next(cursor));
	else if (strcmp(name, "protect") == 0) add_string(&request->protected, &request->protected_count, next(cursor));
	else if (strcmp(name, "link") == 0) add_setting(&request->links, &request->link_count, cursor);
	else if (strcmp(name, "sysctl") == 0) add_setting(&request->sysctls, &request->sysctl_count, cursor);
	else if (strcmp(name, "group") == 0) add_group(request, next(cursor));
	else if (strcmp(name, "dial") == 0) request->dial = (unsigned short)strtoul(next(cursor), NULL, 10);
	else if (strcmp(name, "descriptor") == 0) request->descriptor = (int)strtol(next(cursor), NULL, 10);
	else if (strcmp(name, "ns") == 0) request->ns_flags = namespace_flags(next(cursor));
	else if (strcmp(name, "user") == 0) {
		request->set_user = true;
		request->uid = (uid_t)strtoul(next(cursor), NULL, 10);
		request->gid = (gid_t)strtoul(next(cursor), NULL, 10);
	} else if (strcmp(name, "caps") == 0) {
		request->set_caps = true;
		request->caps = strtoull(next(cursor), NULL, 16);
	} else if (strcmp(name, "oomscore") == 0) {
		request->set_oom_score_adj = true;
		request->oom_score_adj = (int)strtol(next(cursor), NULL, 10);
	} else if (strcmp(name, "join") == 0) {
		request->join_pid = (pid_t)strtol(next(cursor), NULL, 10);
		request->join_start = next(cursor);
	} else if (strcmp(name, "cgroup") == 0 && request->cgroup_count < MAX_CGROUPS)
		request->cgroups[request->cgroup_count++] = next(cursor);
	else return false;
	return true;
}

int read_request(int fd, struct request *request, char **body) {
	unsigned char head[4];
	memset(request, 0, sizeof *request);
	*body = NULL;
	if (!read_fully(fd, head, sizeof head)) return 0;
	uint32_t length = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
	if (length == 0 || length > MAX_REQUEST) return -1;
	*body = malloc(length);
	if (!*body || !read_fully(fd, *body, length) || (*body)[length - 1] != 0) return -1;
	struct cursor cursor = {*body, *body + length, false};
	while (cursor.at < cursor.end && !cursor.damaged)
		if (!decode_field(request, next(&cursor), &cursor)) return -1;
	if (cursor.damaged || !request->id) return -1;
	return request->argc > 0 || request->dial || request->network ? 1 : -1;
}

void free_request(struct request *request, char *body) {
	free(request->argv);
	free(request->envp);
	free(request->mounts);
	free(request->file_systems);
	free(request->sysctls);
	free(request->lower);
	free(request->masked);
	free(request->protected);
	free(request->links);
	free(request->groups);
	free(body);
}
