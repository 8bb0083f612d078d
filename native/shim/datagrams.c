/*
 * Forwards the datagrams of Pods to other machines from the network of a node: the kernel gives those to addresses in none of its
 * ranges to a socket there (egress.c). A process in the network of the machine sends them on as its user's, and the answers back
 * as if they came from where the Pod has sent its datagrams to.
 *
 * 1. Each pair of a Pod's address and another machine's has a socket of its own, which gets no datagrams of third machines: Pods are
 *    as unreachable as behind any network address translation. It is forgotten after a time without datagrams.
 * 2. Loopback addresses of the machine are not reached, as by TCP, and neither are addresses of the ranges.
 * 3. A Pod may have a share of the sockets at once. Those of other Pods do not suffer from one that needs more.
 * 4. The process ends with the one that has started it, and the other way round.
 */
#include "netlink.h"
#include "shim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_FLOWS 1024
/* How many a Pod may have before its own oldest one is forgotten. */
#define MAX_OF_POD 256
/* Times without datagrams after which a flow is forgotten, as by Linux' connection tracking: the long one if it has been active. */
#define SHORT_MS 30000
#define LONG_MS 120000
#define ACTIVE_MS 2000
#define SWEEP_MS 1000
/* The payload of a fragment: what an Ethernet frame holds, in units of eight bytes. */
#define FRAGMENT 1480
#define BURST 64

struct flow {
	struct sockaddr_in pod, remote;
	int fd;
	/* When its first and its last datagram passed. */
	int64_t first, last;
	bool answered;
};

static struct flow flows[MAX_FLOWS];
static size_t used;
static char payload[65536];
static const struct network_address *ranges;
static size_t range_count;

static bool is_same(const struct sockaddr_in *one, const struct sockaddr_in *other) {
	return one->sin_port == other->sin_port && one->sin_addr.s_addr == other->sin_addr.s_addr;
}

/* An address of Pods or Services, loopback, no address, several machines, and all machines. */
static bool is_refused(const struct sockaddr_in *to) {
	uint32_t address = ntohl(to->sin_addr.s_addr), first = address >> 24;
	for (size_t i = 0; i < range_count; i++) {
		uint32_t mask = ranges[i].length == 0 ? 0 : ~(uint32_t)0 << (32 - ranges[i].length);
		if ((address & mask) == (ntohl(ranges[i].address.s_addr) & mask)) return true;
	}
	return first == 127 || first == 0 || first >= 224;
}

/* Unused places have the descriptor -1, or are beyond `used`. */
static struct flow *find_flow(const struct sockaddr_in *pod, const struct sockaddr_in *remote) {
	for (struct flow *flow = flows; flow < flows + used; flow++)
		if (flow->fd >= 0 && is_same(&flow->pod, pod) && is_same(&flow->remote, remote)) return flow;
	return NULL;
}

static int64_t clock_ms(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void end_flow(struct flow *flow) {
	close(flow->fd);
	flow->fd = -1;
}

/* The flow that has had no datagram for the longest time, of a Pod or of all (NULL); NULL if there is none. */
static struct flow *oldest_flow(const struct in_addr *pod) {
	struct flow *oldest = NULL;
	for (struct flow *flow = flows; flow < flows + used; flow++)
		if (flow->fd >= 0 && (!pod || flow->pod.sin_addr.s_addr == pod->s_addr) && (!oldest || flow->last < oldest->last)) oldest = flow;
	return oldest;
}

static size_t count_flows(const struct in_addr *pod) {
	size_t count = 0;
	for (struct flow *flow = flows; flow < flows + used; flow++) count += flow->fd >= 0 && flow->pod.sin_addr.s_addr == pod->s_addr;
	return count;
}

static struct flow *place_for_flow(const struct in_addr *pod) {
	struct flow *oldest = count_flows(pod) >= MAX_OF_POD ? oldest_flow(pod) : NULL;
	if (oldest) return end_flow(oldest), oldest;
	for (struct flow *flow = flows; flow < flows + used; flow++)
		if (flow->fd < 0) return flow;
	if (used < MAX_FLOWS) return &flows[used++];
	oldest = oldest_flow(NULL);
	return end_flow(oldest), oldest;
}

/* A socket that exchanges datagrams with one other socket; -1 if the machine has no way to it, or no descriptors are left. */
static int connected_socket(const struct sockaddr_in *remote) {
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	char byte;
	if (connect(fd, (const struct sockaddr *)remote, sizeof *remote) == 0) {
		/* What third machines have sent before it was connected. */
		while (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0) continue;
		return fd;
	}
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static struct flow *make_flow(int poll, const struct sockaddr_in *pod, const struct sockaddr_in *remote) {
	int fd = connected_socket(remote);
	struct flow *oldest = fd < 0 && errno == EMFILE ? oldest_flow(NULL) : NULL;
	/* This process may have fewer descriptors than flows. */
	if (oldest) {
		end_flow(oldest);
		fd = connected_socket(remote);
	}
	if (fd < 0) return NULL;
	struct flow *flow = place_for_flow(&pod->sin_addr);
	*flow = (struct flow){.pod = *pod, .remote = *remote, .fd = fd, .first = clock_ms()};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = flow};
	if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) == 0) return flow;
	end_flow(flow);
	return NULL;
}

/* Receives a datagram of a Pod, with the address that it was sent to. Returns its length; -1 if there is none. */
static ssize_t receive_from_pod(int inside, struct sockaddr_in *pod, struct sockaddr_in *remote) {
	struct iovec part = {.iov_base = payload, .iov_len = sizeof payload};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof *remote)];
	} control;
	struct msghdr message = {
		.msg_name = pod, .msg_namelen = sizeof *pod, .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
	ssize_t length = recvmsg(inside, &message, MSG_DONTWAIT);
	memset(remote, 0, sizeof *remote);
	const struct cmsghdr *only = length < 0 ? NULL : CMSG_FIRSTHDR(&message);
	if (only && only->cmsg_type == IP_ORIGDSTADDR) memcpy(remote, CMSG_DATA(only), sizeof *remote);
	return length;
}

static void send_from_pods(int poll, int inside) {
	struct sockaddr_in pod, remote;
	for (int i = 0; i < BURST; i++) {
		ssize_t length = receive_from_pod(inside, &pod, &remote);
		if (length < 0) return;
		if (is_refused(&remote)) continue;
		struct flow *flow = find_flow(&pod, &remote);
		if (!flow) flow = make_flow(poll, &pod, &remote);
		if (!flow) continue;
		flow->last = clock_ms();
		/* The answer to an earlier datagram may be an error: it takes the place of this call. */
		if (send(flow->fd, payload, (size_t)length, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
			send(flow->fd, payload, (size_t)length, MSG_NOSIGNAL);
	}
}

/* Sends one fragment of an answer to a Pod, with the remote address as its source. The kernel adds the length and the checksum. */
static bool send_fragment(int raw, const struct flow *flow, struct iovec parts[2], size_t offset, bool more) {
	static uint16_t last;
	if (offset == 0) last++;
	struct iphdr head = {
		.version = 4, .ihl = 5, .ttl = IPDEFTTL, .protocol = IPPROTO_UDP, .id = htons(last ? last : ++last),
		.frag_off = htons((uint16_t)(offset / 8 | (more ? IP_MF : 0))),
		.saddr = flow->remote.sin_addr.s_addr, .daddr = flow->pod.sin_addr.s_addr};
	struct iovec all[] = {{.iov_base = &head, .iov_len = sizeof head}, parts[0], parts[1]};
	struct msghdr message = {
		.msg_name = (void *)&flow->pod, .msg_namelen = sizeof flow->pod, .msg_iov = all, .msg_iovlen = sizeof all / sizeof *all};
	/* Packets for a Pod that has ended wait in this socket, and must not hold up those for others. */
	return sendmsg(raw, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void answer_pod(int raw, const struct flow *flow, size_t length) {
	/* Without a checksum, which IPv4 permits: the datagram stays in this machine. */
	struct udphdr head = {
		.source = flow->remote.sin_port, .dest = flow->pod.sin_port, .len = htons((uint16_t)(length + sizeof(struct udphdr)))};
	size_t total = length + sizeof head, at = 0;
	bool sent = true;
	while (sent && at < total) {
		size_t size = total - at > FRAGMENT ? FRAGMENT : total - at, in_head = at == 0 ? sizeof head : 0;
		struct iovec parts[] = {
			{.iov_base = &head, .iov_len = in_head}, {.iov_base = payload + (at == 0 ? 0 : at - sizeof head), .iov_len = size - in_head}};
		sent = send_fragment(raw, flow, parts, at, at + size < total);
		at += size;
	}
}

static void answer_pods(int raw, struct flow *flow) {
	for (int i = 0; i < BURST; i++) {
		ssize_t length = recv(flow->fd, payload, sizeof payload, MSG_DONTWAIT);
		/* Such as a port that nothing listens at: later datagrams may meet a program there. */
		if (length < 0) return;
		flow->answered = true;
		flow->last = clock_ms();
		answer_pod(raw, flow, (size_t)length);
	}
}

static void end_old_flows(void) {
	int64_t now = clock_ms();
	for (struct flow *flow = flows; flow < flows + used; flow++) {
		bool is_active = flow->answered && flow->last - flow->first > ACTIVE_MS;
		if (flow->fd >= 0 && now - flow->last > (is_active ? LONG_MS : SHORT_MS)) end_flow(flow);
	}
	while (used > 0 && flows[used - 1].fd < 0) used--;
}

static _Noreturn void forward(int inside, int raw) {
	struct epoll_event events[BURST], own = {.events = EPOLLIN, .data.ptr = NULL};
	int poll = epoll_create1(EPOLL_CLOEXEC);
	if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, inside, &own) != 0) _exit(1);
	for (int64_t swept = 0;;) {
		int count = epoll_wait(poll, events, BURST, used > 0 ? SWEEP_MS : -1);
		for (int i = 0; i < count; i++) {
			struct flow *flow = events[i].data.ptr;
			if (!flow) send_from_pods(poll, inside);
			else if (flow->fd >= 0) answer_pods(raw, flow);
		}
		if (clock_ms() - swept < SWEEP_MS) continue;
		swept = clock_ms();
		end_old_flows();
	}
}

/* Waits for the two sockets; ends this process if there will be none. */
static void take_sockets(int channel, int sockets[2]) {
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message)) _exit(1);
	memcpy(sockets, CMSG_DATA(CMSG_FIRSTHDR(&message)), 2 * sizeof(int));
}

int fork_datagrams(const struct network_address *inside, size_t count) {
	int channel[2], sockets[2];
	pid_t starter = getpid();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) return -1;
	pid_t pid = fork();
	if (pid != 0) {
		close(channel[1]);
		if (pid > 0) return channel[0];
		close(channel[0]);
		return -1;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != starter) _exit(1);
	/* Among the others is the end by which the starter knows whether the server lives. */
	if (dup2(channel[1], STDIN_FILENO) < 0) _exit(1);
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
	take_sockets(STDIN_FILENO, sockets);
	ranges = inside;
	range_count = count;
	forward(sockets[0], sockets[1]);
}

bool give_datagrams(int channel, int inside) {
	/* Sends whole packets, with any source. */
	int sockets[2] = {inside, socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)};
	if (sockets[1] < 0) return false;
	struct iovec part = {.iov_base = "s", .iov_len = 1};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof sockets)];
	} control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
	control.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof sockets)};
	memcpy(CMSG_DATA(&control.head), sockets, sizeof sockets);
	bool done = sendmsg(channel, &message, MSG_NOSIGNAL) == 1;
	int error = errno;
	close(sockets[1]);
	errno = error;
	return done;
}
