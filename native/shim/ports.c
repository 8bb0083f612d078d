/*
 * Gives the connections to ports of Services to sockets of another process that listen at other ports: so a program of the machine
 * may listen at the same port of all addresses. By a program of the kernel that chooses the listening socket of each connection
 * (BPF_PROG_TYPE_SK_LOOKUP). Connections to all other ports are left to the kernel.
 *
 * 1. Nothing of it has a name: it ends with this process, which ends with its standard input.
 * 2. A line "give ADDRESS PORT AT" gives the connections to the port to the socket of the other process that listens at the port AT
 *    of the same address, until that is closed. Connections to AT itself are refused: a Service does not have that port.
 * 3. "refuse ADDRESS PORT" refuses connections to a port until a socket is given them, whichever program listens there; "pass ADDRESS
 *    PORT" ends that.
 * 4. Each line is answered by a line: "ok", or "errno step"; EADDRINUSE if another socket has that very address and port. The first
 *    line of the output says in the same way whether the kernel allows this.
 */
#include "netlink.h"
#include "shim.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

static void clear(union bpf_attr *attributes) {
	/* The kernel refuses other bytes than zeros beyond those that it reads. */
	memset(attributes, 0, sizeof *attributes);
}

/* What the program has: the sockets by the ports that they are given, and the ports that are refused. */
struct tables {
	int given, refused;
};

static int make_table(enum bpf_map_type type) {
	union bpf_attr attributes;
	clear(&attributes);
	attributes.map_type = type;
	attributes.key_size = sizeof(struct key);
	attributes.value_size = sizeof(uint64_t);
	attributes.max_entries = MAX_PORTS;
	return bpf(BPF_MAP_CREATE, &attributes);
}

#define LOAD(to, from, at) {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = from, .off = at}
#define STORE(to, at, from) {.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = from, .off = at}
#define COPY(to, from) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from}
#define SET(to, number) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = number}
#define ADD(to, number) {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = to, .imm = number}
#define SKIP_UNLESS(from, number, count) {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = from, .imm = number, .off = count}
#define SKIP_IF(from, number, count) {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = from, .imm = number, .off = count}
#define SKIP_ALWAYS(count) {.code = BPF_JMP | BPF_JA, .off = count}
#define CALL(function) {.code = BPF_JMP | BPF_CALL, .imm = function}
#define FIELD(name) offsetof(struct bpf_sk_lookup, name)

/* Two instructions: a number of 64 bits. */
#define TABLE(to, table) {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = to, .src_reg = BPF_PSEUDO_MAP_FD, .imm = table}, {0}
#define EXIT {.code = BPF_JMP | BPF_EXIT}

/*
 * The program: it gives a TCP connection over IPv4 to the socket that the table has for its destination, refuses it if the other
 * table has that, and passes all others. The numbers of the jumps are instructions: 23 begins what is done without a socket, 31 what
 * is done at last.
 */
static int load_program(const struct tables *tables) {
	const struct bpf_insn program[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(family)),
		SKIP_UNLESS(BPF_REG_2, AF_INET, 28),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(protocol)),
		SKIP_UNLESS(BPF_REG_2, IPPROTO_TCP, 26),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(local_ip4)),
		STORE(BPF_REG_10, -8, BPF_REG_2),
		LOAD(BPF_REG_2, BPF_REG_6, FIELD(local_port)),
		STORE(BPF_REG_10, -4, BPF_REG_2),
		TABLE(BPF_REG_1, tables->given),
		COPY(BPF_REG_2, BPF_REG_10),
		ADD(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF(BPF_REG_0, 0, 8),
		COPY(BPF_REG_7, BPF_REG_0),
		COPY(BPF_REG_1, BPF_REG_6),
		COPY(BPF_REG_2, BPF_REG_7),
		SET(BPF_REG_3, 0),
		CALL(BPF_FUNC_sk_assign),
		COPY(BPF_REG_1, BPF_REG_7),
		CALL(BPF_FUNC_sk_release),
		SKIP_ALWAYS(8),
		/* 23 */
		TABLE(BPF_REG_1, tables->refused),
		COPY(BPF_REG_2, BPF_REG_10),
		ADD(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF(BPF_REG_0, 0, 2),
		SET(BPF_REG_0, SK_DROP),
		EXIT,
		/* 31 */
		SET(BPF_REG_0, SK_PASS),
		EXIT,
	};
	union bpf_attr attributes;
	clear(&attributes);
	attributes.prog_type = BPF_PROG_TYPE_SK_LOOKUP;
	attributes.expected_attach_type = BPF_SK_LOOKUP;
	attributes.insns = (uintptr_t)program;
	attributes.insn_cnt = sizeof program / sizeof *program;
	attributes.license = (uintptr_t)"Apache-2.0";
	return bpf(BPF_PROG_LOAD, &attributes);
}

/* Makes the tables of a program that works in this network namespace. */
static bool open_tables(struct tables *tables, struct failure *failure) {
	/* Before Linux 5.11, tables count as locked memory, of which processes may have little. */
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	tables->given = make_table(BPF_MAP_TYPE_SOCKHASH);
	tables->refused = make_table(BPF_MAP_TYPE_HASH);
	if (tables->given < 0 || tables->refused < 0) return fail(failure, "table", NULL);
	int program = load_program(tables);
	if (program < 0) return fail(failure, "program", NULL);
	int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	union bpf_attr attributes;
	clear(&attributes);
	attributes.link_create.prog_fd = (uint32_t)program;
	attributes.link_create.target_fd = (uint32_t)network;
	attributes.link_create.attach_type = BPF_SK_LOOKUP;
	/* The link works until its descriptor is closed: at the end of this process. */
	return (network >= 0 && bpf(BPF_LINK_CREATE, &attributes) >= 0) || fail(failure, "link", NULL);
}

/* Adds a key to a table, or removes it (BPF_MAP_DELETE_ELEM). */
static bool change(enum bpf_cmd command, int table, struct key key, uint64_t value, uint64_t flags) {
	union bpf_attr attributes;
	clear(&attributes);
	attributes.map_fd = (uint32_t)table;
	attributes.key = (uintptr_t)&key;
	if (command == BPF_MAP_UPDATE_ELEM) {
		attributes.value = (uintptr_t)&value;
		attributes.flags = flags;
	}
	return bpf(command, &attributes) == 0;
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

/* A copy of a descriptor, if that is a socket which listens at the address; -1 if not. `error` is set if it could not be taken. */
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

/*
 * The address of the socket that gets connections to an address and port now; false if there is none, or the kernel does not say.
 * That of a socket which listens at all addresses is 0.
 */
static bool find_listener(const struct sockaddr_in *to, struct in_addr *address) {
	struct message message;
	struct inet_diag_req_v2 request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u};
	request.id.idiag_sport = to->sin_port;
	request.id.idiag_src[0] = to->sin_addr.s_addr;
	request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg found;
		char more[1024];
	} answer;
	int netlink = open_netlink(NETLINK_SOCK_DIAG);
	if (netlink < 0) return false;
	begin(&message, SOCK_DIAG_BY_FAMILY, 0);
	append_bytes(&message, &request, sizeof request);
	ssize_t got = exchange(netlink, &message, &answer, sizeof answer);
	close(netlink);
	if (got < (ssize_t)(sizeof answer.head + sizeof answer.found) || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
	/* A socket of IPv6 that listens at all addresses gets connections over IPv4 too. */
	address->s_addr = answer.found.idiag_family == AF_INET ? answer.found.id.idiag_src[0] : 0;
	return true;
}

static bool give_port(const struct tables *tables, pid_t pid, struct key key, int at, struct failure *failure) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)key.port), .sin_addr.s_addr = key.address};
	struct in_addr present;
	/* Refused, it would seem to have no socket. */
	change(BPF_MAP_DELETE_ELEM, tables->refused, key, 0, 0);
	bool is_taken = find_listener(&address, &present) && present.s_addr == key.address;
	if (is_taken) return errno = EADDRINUSE, fail(failure, "port", NULL);
	address.sin_port = htons((in_port_t)at);
	int fd = socket_of(pid, &address);
	if (fd < 0) return fail(failure, "socket", NULL);
	bool done = change(BPF_MAP_UPDATE_ELEM, tables->given, key, (uint64_t)fd, BPF_NOEXIST);
	if (!done && errno == EEXIST) errno = EADDRINUSE;
	done = done || fail(failure, "port", NULL);
	/* The table has it until the other process closes it. */
	close(fd);
	if (done) change(BPF_MAP_UPDATE_ELEM, tables->refused, (struct key){key.address, (uint32_t)at}, 0, BPF_ANY);
	return done;
}

static bool perform(const struct tables *tables, pid_t pid, const char *line, struct failure *failure) {
	char verb[8], address[16];
	int at;
	struct key key;
	int count = sscanf(line, "%7s %15s %u %d", verb, address, &key.port, &at);
	bool is_valid = count >= 3 && inet_pton(AF_INET, address, &key.address) == 1;
	if (is_valid && count == 4 && strcmp(verb, "give") == 0) return give_port(tables, pid, key, at, failure);
	if (is_valid && strcmp(verb, "refuse") == 0)
		return change(BPF_MAP_UPDATE_ELEM, tables->refused, key, 0, BPF_ANY) || fail(failure, "port", NULL);
	if (is_valid && strcmp(verb, "pass") == 0)
		return change(BPF_MAP_DELETE_ELEM, tables->refused, key, 0, 0) || errno == ENOENT || fail(failure, "port", NULL);
	errno = EINVAL;
	return fail(failure, "line", NULL);
}

static bool answer(bool done, const struct failure *failure) {
	if (done) puts("ok");
	else printf("%d %s\n", failure->error, failure->step);
	return fflush(stdout) == 0;
}

int serve_ports(pid_t pid) {
	struct failure failure = {0};
	struct tables tables;
	char line[MAX_LINE];
	bool done = open_tables(&tables, &failure);
	if (!answer(done, &failure) || !done) return 1;
	while (fgets(line, sizeof line, stdin))
		if (!answer(perform(&tables, pid, line, &failure), &failure)) return 1;
	return 0;
}
