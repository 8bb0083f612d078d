/*
 * The way of Pods' datagrams to other machines from the network of a node: the kernel gives those to other addresses to a socket
 * there (egress.c). A process in the network of the machine sends them on as its user's, and the answers back as if they came
 * from where the Pod has sent its datagrams to.
 *
 * 1. Each pair of a Pod's address and another machine's has a socket of its own, which gets no datagrams of third machines: Pods are
 *    as unreachable as behind any network address translation. It is forgotten after a time without datagrams.
 * 2. Loopback addresses of the machine are not reached, as by TCP.
 * 3. The process ends with the one that has started it, and the other way round.
 */
#include "shim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_FLOWS 1024
/* Times without datagrams after which a flow is forgotten: those of Linux' connection tracking. */
#define UNANSWERED_MS 30000
#define ANSWERED_MS 120000
#define SWEEP_MS 1000
/* The payload of a fragment: what an Ethernet frame holds, in units of eight bytes. */
#define FRAGMENT 1480
#define BURST 64

struct flow {
	struct sockaddr_in pod, remote;
	int fd;
	/* When its last datagram passed. */
	int64_t last;
	bool answered;
};

static struct flow flows[MAX_FLOWS];
static size_t used;
static char payload[65536];

static bool is_same(const struct sockaddr_in *one, const struct sockaddr_in *other) {
	return one->sin_port == other->sin_port && one->sin_addr.s_addr == other->sin_addr.s_addr;
}

/* Loopback, no address, several machines, and all machines. */
static bool is_refused(const struct sockaddr_in *to) {
	uint32_t first = ntohl(to->sin_addr.s_addr) >> 24;
	return first == 127 || first == 0 || first >= 224;
}

/* Unused places have the descriptor -1, or are beyond `used`. */
static struct flow *find_flow(const struct sockaddr_in *pod, const struct sockaddr_in *remote) {
	for (struct flow *flow = flows; flow < flows + used; flow++)
		if (flow->fd >= 0 && is_same(&flow->pod, pod) && is_same(&flow->remote, remote)) return flow;
	return NULL;
}

static void end_flow(struct flow *flow) {
	close(flow->fd);
	flow->fd = -1;
}

/* The flow that has had no datagram for the longest time; NULL if there is none. */
static struct flow *oldest_flow(void) {
	struct flow *oldest = NULL;
	for (struct flow *flow = flows; flow < flows + used; flow++)
		if (flow->fd >= 0 && (!oldest || flow->last < oldest->last)) oldest = flow;
	return oldest;
}

static struct flow *place_for_flow(void) {
	for (struct flow *flow = flows; flow < flows + used; flow++)
		if (flow->fd < 0) return flow;
	if (used < MAX_FLOWS) return &flows[used++];
	struct flow *oldest = oldest_flow();
	end_flow(oldest);
	return oldest;
}

static int make_socket(void) {
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static struct flow *make_flow(int poll, const struct sockaddr_in *pod, const struct sockaddr_in *remote) {
	int fd = make_socket();
	struct flow *oldest = fd < 0 ? oldest_flow() : NULL;
	/* This process may have fewer descriptors than flows. */
	if (oldest) {
		end_flow(oldest);
		fd = make_socket();
	}
	if (fd < 0) return NULL;
	struct flow *flow = place_for_flow();
	*flow = (struct flow){.pod = *pod, .remote = *remote, .fd = fd};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = flow};
	if (connect(fd, (const struct sockaddr *)remote, sizeof *remote) == 0 && epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) == 0) return flow;
	end_flow(flow);
	return NULL;
}

static int64_t clock_ms(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
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
		/* A datagram that cannot be sent is lost, as on any way. */
		if (send(flow->fd, payload, (size_t)length, MSG_NOSIGNAL) < 0) continue;
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
	return sendmsg(raw, &message, MSG_NOSIGNAL) >= 0;
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
	for (struct flow *flow = flows; flow < flows + used; flow++)
		if (flow->fd >= 0 && now - flow->last > (flow->answered ? ANSWERED_MS : UNANSWERED_MS)) end_flow(flow);
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

int fork_datagrams(void) {
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
