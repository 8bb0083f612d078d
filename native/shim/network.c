/*
 * The networks of Pods, by netlink: a bridge in the namespace of the launcher, and for each Pod a namespace whose eth0 is a
 * port of that bridge. Requests of the kind `network` are answered on standard output: "N id descriptor" or a failure.
 *
 * 1. Nothing of a Pod's network has a name that outlives it: its namespace lives while a process is in it or a descriptor of
 *    it is open, and the kernel removes both ends of its eth0 with it.
 * 2. The launcher opens the descriptor of an answer by /proc, and closes that of this process by the next request.
 * 3. Bridges are made under a lock of the whole network namespace, which needs no file: two launchers never take the same
 *    addresses.
 */
#include "netlink.h"
#include "shim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned int if_nametoindex(const char *name);

static void add_link_head(struct message *message, unsigned index, bool is_up) {
	const struct ifinfomsg link = {.ifi_index = (int)index, .ifi_flags = is_up ? IFF_UP : 0, .ifi_change = is_up ? IFF_UP : 0};
	append_bytes(message, &link, sizeof link);
}

static bool add_address(int netlink, unsigned index, const struct network_address *address) {
	struct message message;
	const struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = address->length, .ifa_index = index};
	struct in_addr broadcast = {address->address.s_addr | htonl((uint32_t)(0xffffffffu >> address->length))};
	begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	append_bytes(&message, &head, sizeof head);
	put(&message, IFA_LOCAL, &address->address, 4);
	put(&message, IFA_ADDRESS, &address->address, 4);
	put(&message, IFA_BROADCAST, &broadcast, 4);
	return ask_kernel(netlink, &message);
}

static bool remove_link(int netlink, const char *name) {
	struct message message;
	begin(&message, RTM_DELLINK, 0);
	add_link_head(&message, 0, false);
	put_text(&message, IFLA_IFNAME, name);
	return ask_kernel(netlink, &message);
}

/* Sets the alias of a link, by which launchers tell whose bridge it is. */
static bool set_alias(int netlink, const char *name, const char *alias) {
	struct message message;
	begin(&message, RTM_SETLINK, 0);
	add_link_head(&message, 0, false);
	put_text(&message, IFLA_IFNAME, name);
	put(&message, IFLA_IFALIAS, alias, strlen(alias));
	return ask_kernel(netlink, &message);
}

static bool add_bridge(int netlink, const char *name, const struct network_address *address) {
	struct message message;
	const unsigned char off = 0;
	begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	add_link_head(&message, 0, true);
	put_text(&message, IFLA_IFNAME, name);
	put(&message, IFLA_ADDRESS, address->hardware, sizeof address->hardware);
	size_t info = begin_nest(&message, IFLA_LINKINFO);
	put_text(&message, IFLA_INFO_KIND, "bridge");
	size_t data = begin_nest(&message, IFLA_INFO_DATA);
	put(&message, IFLA_BR_MCAST_SNOOPING, &off, 1);
	end_nest(&message, data);
	end_nest(&message, info);
	return ask_kernel(netlink, &message);
}

/* Whether the address is one of this machine's already. */
static bool is_taken(const struct network_address *address) {
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr = address->address};
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool taken = udp >= 0 && bind(udp, (struct sockaddr *)&place, sizeof place) == 0;
	if (udp >= 0) close(udp);
	return taken;
}

static bool make_bridge(int netlink, const struct request *request, struct failure *failure) {
	struct network_address address;
	const char *name = request->device;
	if (!parse_address(request->address, &address)) return fail(failure, "network", request->address);
	if (is_taken(&address)) {
		errno = EADDRINUSE;
		return fail(failure, "network", request->address);
	}
	if (!add_bridge(netlink, name, &address)) return fail(failure, "bridge", name);
	unsigned index = if_nametoindex(name);
	if (add_address(netlink, index, &address) && set_alias(netlink, name, request->alias)) return true;
	fail(failure, "network", request->address);
	remove_link(netlink, name);
	return false;
}

/* The places between which the eth0 of a Pod is. */
struct places {
	/* Where the bridge is. */
	int netlink;
	uint32_t bridge;
	/* The namespace of the Pod. */
	int inside;
};

/* Makes eth0 inside, and its other end, which is up, as a port of the bridge. The kernel lets only one of both begin so. */
static bool add_pair(const struct places *places, const struct request *request, const struct network_address *address) {
	struct message message;
	begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	add_link_head(&message, 0, true);
	put_text(&message, IFLA_IFNAME, request->device);
	put(&message, IFLA_MASTER, &places->bridge, sizeof places->bridge);
	size_t info = begin_nest(&message, IFLA_LINKINFO);
	put_text(&message, IFLA_INFO_KIND, "veth");
	size_t data = begin_nest(&message, IFLA_INFO_DATA), peer = begin_nest(&message, VETH_INFO_PEER);
	add_link_head(&message, 0, false);
	put_text(&message, IFLA_IFNAME, "eth0");
	put(&message, IFLA_ADDRESS, address->hardware, sizeof address->hardware);
	put(&message, IFLA_NET_NS_FD, &places->inside, sizeof places->inside);
	end_nest(&message, peer);
	end_nest(&message, data);
	end_nest(&message, info);
	return ask_kernel(places->netlink, &message);
}

static bool bring_up(int netlink, const char *name) {
	struct message message;
	begin(&message, RTM_SETLINK, 0);
	add_link_head(&message, 0, true);
	put_text(&message, IFLA_IFNAME, name);
	return ask_kernel(netlink, &message);
}

/* A setting of the network namespace of this process. The kernel may lack it, such as those of IPv6. */
void write_setting(const char *name, const char *value) {
	char path[128];
	snprintf(path, sizeof path, "/proc/sys/net/%s", name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) return;
	if (write(fd, value, strlen(value)) < 0) errno = 0;
	close(fd);
}

static struct rtmsg default_route(unsigned char type) {
	return (struct rtmsg){
		.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = type,
	};
}

static bool add_default_route(int netlink, const char *gateway) {
	struct message message;
	struct in_addr address;
	const struct rtmsg route = default_route(RTN_UNICAST);
	if (inet_pton(AF_INET, gateway, &address) != 1) return errno = EINVAL, false;
	begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	append_bytes(&message, &route, sizeof route);
	put(&message, RTA_GATEWAY, &address, sizeof address);
	return ask_kernel(netlink, &message);
}

/* What leads nowhere is refused at once, and not dropped in silence. Programs see an error, as they do not of an unreachable network. */
static bool refuse_others(int netlink) {
	struct message message;
	const struct rtmsg route = default_route(RTN_PROHIBIT);
	write_setting("ipv4/ip_forward", "1");
	begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	append_bytes(&message, &route, sizeof route);
	return ask_kernel(netlink, &message);
}

/* Adds or removes (`type`) the route by which all addresses of a range are this machine's while the device exists. */
static bool change_local_route(int netlink, int type, unsigned device, const struct network_address *range) {
	struct message message;
	const struct rtmsg route = {
		.rtm_family = AF_INET,
		.rtm_dst_len = range->length,
		.rtm_table = RT_TABLE_LOCAL,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL,
	};
	begin(&message, type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0);
	append_bytes(&message, &route, sizeof route);
	put(&message, RTA_DST, &range->address, 4);
	put(&message, RTA_OIF, &device, sizeof device);
	return ask_kernel(netlink, &message);
}

/* Makes the addresses of a range this machine's. A route of the same device is replaced; that of another one is not. */
static bool make_local(int netlink, const struct request *request, struct failure *failure) {
	struct network_address range;
	unsigned device = if_nametoindex(request->device);
	if (device == 0) return fail(failure, "bridge", request->device);
	if (!parse_address(request->address, &range)) return fail(failure, "network", request->address);
	bool done = change_local_route(netlink, RTM_NEWROUTE, device, &range);
	if (!done && errno == EEXIST) {
		bool is_own = change_local_route(netlink, RTM_DELROUTE, device, &range);
		done = is_own && change_local_route(netlink, RTM_NEWROUTE, device, &range);
		if (!is_own) errno = EEXIST;
	}
	done = done && set_alias(netlink, request->device, request->alias);
	return done || fail(failure, "network", request->address);
}

/* The opposite of make_local. */
static bool end_local(int netlink, const struct request *request, struct failure *failure) {
	struct network_address range;
	unsigned device = if_nametoindex(request->device);
	if (device == 0) return true;
	if (!parse_address(request->address, &range)) return fail(failure, "network", request->address);
	return change_local_route(netlink, RTM_DELROUTE, device, &range) || errno == ESRCH || fail(failure, "network", request->address);
}

/* In the new namespace: makes its links, addresses and routes, and sets its settings. */
static bool furnish(const struct places *places, const struct request *request, struct failure *failure) {
	struct network_address address;
	if (!parse_address(request->address, &address)) return fail(failure, "address", request->address);
	char groups[32] = "0 2147483647";
	/* In a user namespace, the setting takes only groups that this has: those of containers begin with that of the user. */
	if (request->node) snprintf(groups, sizeof groups, "%u %u", (unsigned)getegid(), (unsigned)getegid());
	/* As containerd 2: any user of the Pod may listen on any port, and use ping. */
	write_setting("ipv4/ip_unprivileged_port_start", "0");
	write_setting("ipv4/ping_group_range", groups);
	/* No link-local addresses: they would be announced, and there is no such network. */
	write_setting("ipv6/conf/default/addr_gen_mode", "1");
	int netlink = open_netlink(NETLINK_ROUTE);
	if (netlink < 0) return fail(failure, "netlink", NULL);
	bool done = bring_up(netlink, "lo") || fail(failure, "loopback", "lo");
	done = done && (add_pair(places, request, &address) || fail(failure, "link", request->device));
	done = done && (add_address(netlink, if_nametoindex("eth0"), &address) || fail(failure, "address", request->address));
	done = done && (bring_up(netlink, "eth0") || fail(failure, "link", "eth0"));
	done = done && (add_default_route(netlink, request->gateway) || fail(failure, "route", request->gateway));
	close(netlink);
	return done;
}

static int own_namespace(void) {
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/*
 * Makes the network of a Pod. This process makes it without a fork, which would cost more than all the rest, and returns to
 * the namespace in which it was; it ends if it cannot. Returns a descriptor of the new one, or -1.
 */
static int make_pod(int netlink, const struct request *request, struct failure *failure) {
	struct places places = {.netlink = netlink, .bridge = if_nametoindex(request->bridge), .inside = -1};
	if (places.bridge == 0) return fail(failure, "bridge", request->bridge), -1;
	int home = own_namespace();
	bool done = home >= 0 && unshare(CLONE_NEWNET) == 0;
	if (!done) fail(failure, "unshare", "network");
	else {
		places.inside = own_namespace();
		done = places.inside >= 0 ? furnish(&places, request, failure) : fail(failure, "unshare", "network");
		if (setns(home, CLONE_NEWNET) != 0) _exit(1);
	}
	if (home >= 0) close(home);
	if (done) return places.inside;
	if (places.inside >= 0) close(places.inside);
	return -1;
}

bool furnish_node(const struct request *request, int *made, struct failure *failure) {
	(void)request;
	write_setting("ipv4/ip_unprivileged_port_start", "0");
	write_setting("ipv6/conf/default/addr_gen_mode", "1");
	int netlink = open_netlink(NETLINK_ROUTE);
	bool done = netlink >= 0 && bring_up(netlink, "lo") && refuse_others(netlink);
	*made = done ? own_namespace() : -1;
	done = *made >= 0 || fail(failure, "loopback", "lo");
	if (netlink >= 0) close(netlink);
	return done;
}

bool change_network(const struct request *request, int *made, struct failure *failure) {
	const char *kind = request->network;
	int netlink = open_netlink(NETLINK_ROUTE);
	if (netlink < 0) return fail(failure, "netlink", NULL);
	bool done = false;
	if (strcmp(kind, "pod") == 0) {
		*made = make_pod(netlink, request, failure);
		done = *made >= 0;
	} else if (strcmp(kind, "bridge") == 0) {
		int lock = own_namespace();
		done = lock >= 0 && flock(lock, LOCK_EX) == 0 ? make_bridge(netlink, request, failure) : fail(failure, "lock", NULL);
		if (lock >= 0) close(lock);
	} else if (strcmp(kind, "local") == 0) {
		done = make_local(netlink, request, failure);
	} else if (strcmp(kind, "unlocal") == 0) {
		done = end_local(netlink, request, failure);
	} else if (strcmp(kind, "remove") == 0) {
		done = remove_link(netlink, request->device) || errno == ENODEV || fail(failure, "remove", request->device);
	} else {
		errno = EINVAL;
		fail(failure, "network", kind);
	}
	close(netlink);
	return done;
}

void serve_network(const struct request *request) {
	struct failure failure = {0};
	int made = -1;
	if (strcmp(request->network, "close") == 0) {
		close(request->descriptor);
		return;
	}
	bool done = false;
	if (strcmp(request->network, "node") == 0) done = make_node(request, &made, &failure);
	else done = request->node ? change_in_node(request, &made, &failure) : change_network(request, &made, &failure);
	if (done) dprintf(STDOUT_FILENO, "N %s %d\n", request->id, made);
	else dprintf(STDOUT_FILENO, "F %s %d %s %s\n", request->id, failure.error, failure.step, failure.detail);
}

/* Moves this process to a network namespace in a user namespace, in which its user alone has an id. */
static bool unshare_as_user(struct failure *failure) {
	char uids[64], gids[64];
	snprintf(uids, sizeof uids, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
	snprintf(gids, sizeof gids, "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return fail(failure, "unshare", "user");
	return map_ids(getpid(), uids, gids, false, failure);
}

/* Makes a bridge, the network of a Pod and an ordinary user's egress in a network namespace of this process, which ends with it. */
int try_network(void) {
	const struct request bridge = {.network = "bridge", .device = "stint0", .address = "10.244.0.1/16", .alias = "trial"};
	const struct request pod = {.network = "pod", .device = "stint0v0", .bridge = "stint0", .address = "10.244.0.2/16", .gateway = "10.244.0.1"};
	struct failure failure = {0};
	int made = -1;
	bool done = geteuid() == 0 ? unshare(CLONE_NEWNET) == 0 || fail(&failure, "unshare", "network") : unshare_as_user(&failure);
	int netlink = open_netlink(NETLINK_ROUTE);
	/* Until the first address, any one seems to be the machine's own. */
	done = done && (bring_up(netlink, "lo") || fail(&failure, "loopback", "lo"));
	done = done && change_network(&bridge, &made, &failure) && change_network(&pod, &made, &failure);
	if (done) puts("network yes");
	else printf("network no %d %s %s\n", failure.error, failure.step, failure.detail);
	if (!done || geteuid() == 0) return 0;
	struct network_address range;
	struct failure failures[2] = {0};
	if (parse_address("10.244.0.0/16", &range) && open_egress(&range, 1, -1, failures) >= 0) puts("egress yes");
	else printf("egress no %d %s %s\n", failures[0].error, failures[0].step, failures[0].detail);
	return 0;
}

bool join_network(const struct request *request, struct failure *failure) {
	return !request->netns || enter_network(request->netns, failure);
}

/* Connects to a port of the loopback address in this namespace: a program may listen on that of either version of IP. */
static int dial(unsigned short port, struct failure *failure) {
	const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	char first[16];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&four, sizeof four) == 0) return fd;
	snprintf(first, sizeof first, "%d", errno);
	if (fd >= 0) close(fd);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&six, sizeof six) == 0) return fd;
	fail(failure, "dial", first);
	if (fd >= 0) close(fd);
	return -1;
}

/* One direction of a connection. */
struct stream {
	int from, to;
	char bytes[16384];
	size_t length, at;
	bool ended;
};

/* One read or one write, as `stream` has room. The end of `from` ends `to`. */
static void pass(struct stream *stream, bool is_socket) {
	if (stream->length > stream->at) {
		ssize_t wrote = write(stream->to, stream->bytes + stream->at, stream->length - stream->at);
		if (wrote > 0) stream->at += (size_t)wrote;
		else if (wrote < 0 && errno != EINTR && errno != EAGAIN) stream->ended = true;
		return;
	}
	ssize_t got = read(stream->from, stream->bytes, sizeof stream->bytes);
	stream->at = 0;
	stream->length = got > 0 ? (size_t)got : 0;
	if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
		stream->ended = true;
		if (is_socket) shutdown(stream->to, SHUT_WR);
		else close(stream->to);
	}
}

void relay_port(const struct request *request, struct failure *failure) {
	static struct stream up, down;
	int connection = dial(request->dial, failure);
	if (connection < 0) return;
	/* What an exec would do: the waiter takes the end of `report` for a success, and no other descriptor holds the pipes open. */
	connection = dup2(connection, STDERR_FILENO);
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	up = (struct stream){.from = STDIN_FILENO, .to = connection};
	down = (struct stream){.from = connection, .to = STDOUT_FILENO};
	while (!up.ended || !down.ended) {
		struct stream *const streams[] = {&up, &down};
		struct pollfd fds[2];
		for (int i = 0; i < 2; i++) {
			bool writes = streams[i]->length > streams[i]->at;
			int fd = writes ? streams[i]->to : streams[i]->from;
			fds[i] = (struct pollfd){.fd = streams[i]->ended ? -1 : fd, .events = writes ? POLLOUT : POLLIN};
		}
		if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents) pass(streams[i], i == 0);
	}
	_exit(0);
}
