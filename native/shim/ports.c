/*
 * Lets sockets of another process get the connections to ports of Services, whichever program listens at those ports of all
 * addresses, and without taking them from such programs: by a program of the kernel that chooses the listening socket of each
 * connection (BPF_PROG_TYPE_SK_LOOKUP). A socket of which it knows nothing gets its connections as ever.
 *
 * 1. Nothing of it has a name: it ends with this process, which ends with its standard input.
 * 2. A line "add ADDRESS PORT AT" gives the connections to the port to the socket of the other process that listens at the port
 *    AT of the same address; "remove ADDRESS PORT" ends that. Each is answered by a line: "ok", or "errno step".
 */
#include "shim.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_PORTS 65536
#define MAX_LINE 128

/* What the program looks a socket up by: the address in the order of the network, the port in that of this machine. */
struct key {
	uint32_t address, port;
};

static int bpf(enum bpf_cmd command, union bpf_attr *attributes) {
	return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static int make_table(void) {
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_SOCKHASH, .key_size = sizeof(struct key), .value_size = sizeof(uint64_t), .max_entries = MAX_PORTS};
	return bpf(BPF_MAP_CREATE, &attributes);
}

#define LOAD(to, from, at) {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = from, .off = at}
#define STORE(to, at, from) {.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = from, .off = at}
#define COPY(to, from) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from}
#define SET(to, number) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = number}
#define ADD(to, number) {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = to, .imm = number}
#define SKIP_UNLESS(from, number, count) {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = from, .imm = number, .off = count}
#define SKIP_IF(from, number, count) {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = from, .imm = number, .off = count}
#define CALL(function) {.code = BPF_JMP | BPF_CALL, .imm = function}
#define FIELD(name) offsetof(struct bpf_sk_lookup, name)

/* The program: it gives a TCP connection over IPv4 to the socket that the table has for its destination. All jumps lead to its end. */
static int load_program(int table) {
	const struct bpf_insn program[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(family)),
		SKIP_UNLESS(BPF_REG_2, AF_INET, 19),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(protocol)),
		SKIP_UNLESS(BPF_REG_2, IPPROTO_TCP, 17),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(local_ip4)),
		STORE(BPF_REG_10, -8, BPF_REG_2),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(local_port)),
		STORE(BPF_REG_10, -4, BPF_REG_2),
		/* Two instructions: a number of 64 bits. */
		{.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = table},
		{0},
		COPY(BPF_REG_2, BPF_REG_10),
		ADD(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF(BPF_REG_0, 0, 7),
		COPY(BPF_REG_7, BPF_REG_0),
		COPY(BPF_REG_1, BPF_REG_6),
		COPY(BPF_REG_2, BPF_REG_7),
		SET(BPF_REG_3, 0),
		CALL(BPF_FUNC_sk_assign),
		COPY(BPF_REG_1, BPF_REG_7),
		CALL(BPF_FUNC_sk_release),
		SET(BPF_REG_0, SK_PASS),
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attributes = {
		.prog_type = BPF_PROG_TYPE_SK_LOOKUP, .expected_attach_type = BPF_SK_LOOKUP,
		.insns = (uintptr_t)program, .insn_cnt = sizeof program / sizeof *program, .license = (uintptr_t)"Apache-2.0"};
	return bpf(BPF_PROG_LOAD, &attributes);
}

/* Returns the table of a program that works in this network namespace; -1 with the failure. */
static int open_table(struct failure *failure) {
	int table = make_table();
	if (table < 0) return fail(failure, "table", NULL), -1;
	int program = load_program(table);
	if (program < 0) return fail(failure, "program", NULL), -1;
	int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	union bpf_attr attributes = {.link_create = {.prog_fd = program, .target_fd = network, .attach_type = BPF_SK_LOOKUP}};
	/* The link works until its descriptor is closed: at the end of this process. */
	if (network < 0 || bpf(BPF_LINK_CREATE, &attributes) < 0) return fail(failure, "link", NULL), -1;
	return table;
}

static bool listens_at(int fd, const struct sockaddr_in *at) {
	struct sockaddr_in own;
	socklen_t length = sizeof own;
	int listens = 0;
	if (getsockname(fd, (struct sockaddr *)&own, &length) != 0 || own.sin_family != AF_INET) return false;
	if (own.sin_port != at->sin_port || own.sin_addr.s_addr != at->sin_addr.s_addr) return false;
	length = sizeof listens;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens;
}

/* How many descriptors are tried before all of the process are read. */
#define WINDOW 64

/* The descriptor with this number, if it is a socket that listens at the address; -1 if not, and `error` is why it could not be taken. */
static int take_socket(int process, int number, const struct sockaddr_in *at, int *error) {
	int fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);
	if (fd < 0) {
		if (errno != EBADF) *error = errno;
		return -1;
	}
	if (listens_at(fd, at)) return fd;
	close(fd);
	return -1;
}

/* A descriptor of the socket of a process that listens at an address; -1 if it has none, or lets none be taken. */
static int socket_of(pid_t pid, const struct sockaddr_in *at) {
	/* A new socket usually has the lowest number that is free, one of those behind the last one that was found. */
	static int next;
	int process = (int)syscall(SYS_pidfd_open, pid, 0), found = -1, error = process < 0 ? errno : ENOENT, number;
	for (number = next; process >= 0 && found < 0 && number < next + WINDOW; number++) found = take_socket(process, number, at, &error);
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *folder = process >= 0 && found < 0 ? opendir(path) : NULL;
	struct dirent *entry;
	while (folder && found < 0 && (entry = readdir(folder))) {
		char target[16];
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target);
		if (length < 7 || memcmp(target, "socket:", 7) != 0) continue;
		number = atoi(entry->d_name) + 1;
		found = take_socket(process, number - 1, at, &error);
	}
	if (folder) closedir(folder);
	if (process >= 0) close(process);
	if (found >= 0) next = number;
	errno = error;
	return found;
}

static bool add_port(int table, pid_t pid, struct key key, int at, struct failure *failure) {
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)at), .sin_addr.s_addr = key.address};
	int fd = socket_of(pid, &address);
	if (fd < 0) return fail(failure, "socket", NULL);
	uint64_t value = (uint64_t)fd;
	union bpf_attr attributes = {.map_fd = (uint32_t)table, .key = (uintptr_t)&key, .value = (uintptr_t)&value};
	bool done = bpf(BPF_MAP_UPDATE_ELEM, &attributes) == 0 || fail(failure, "port", NULL);
	/* The table has it until the other process closes it. */
	close(fd);
	return done;
}

static bool remove_port(int table, struct key key, struct failure *failure) {
	union bpf_attr attributes = {.map_fd = (uint32_t)table, .key = (uintptr_t)&key};
	return bpf(BPF_MAP_DELETE_ELEM, &attributes) == 0 || errno == ENOENT || fail(failure, "port", NULL);
}

static bool perform(int table, pid_t pid, const char *line, struct failure *failure) {
	char verb[8], address[16];
	int at = 0;
	struct key key;
	int count = sscanf(line, "%7s %15s %u %d", verb, address, &key.port, &at);
	errno = EINVAL;
	if (count < 3 || inet_pton(AF_INET, address, &key.address) != 1) return fail(failure, "line", NULL);
	return count == 4 ? add_port(table, pid, key, at, failure) : remove_port(table, key, failure);
}

int serve_ports(pid_t pid) {
	struct failure failure = {0};
	char line[MAX_LINE];
	int table = open_table(&failure);
	bool done = table >= 0;
	do {
		if (done) puts("ok");
		else printf("%d %s\n", failure.error, failure.step);
		if (fflush(stdout) != 0 || table < 0) return 1;
		done = fgets(line, sizeof line, stdin) && perform(table, pid, line, &failure);
	} while (!feof(stdin));
	return 0;
}
