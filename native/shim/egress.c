/*
 * The way of Pods to other machines from the network of a node, which has none itself: the kernel gives all their TCP connections
 * to a socket there, whose owner makes them in the network of the machine, and their datagrams to another one (datagrams.c). By
 * nftables' tproxy: an accepted connection has the address that the Pod has asked for as its own. Connections and datagrams to Pods
 * and Services are left alone.
 */
#include "netlink.h"
#include "shim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The mark of packets for the socket, and the table by which such packets are this namespace's own. */
#define MARK 1
#define TABLE 100
/* After connections are tracked, as iptables' table mangle. */
#define PRIORITY (-150)
#define DESTINATION_OFFSET 16

unsigned int if_nametoindex(const char *name);

static void put_number(struct message *message, int type, uint32_t number) {
	const uint32_t value = htonl(number);
	put(message, type, &value, sizeof value);
}

static void begin_table_message(struct message *message, int type, int flags) {
	const struct nfgenmsg head = {.nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0};
	begin_next(message, NFNL_SUBSYS_NFTABLES << 8 | type, flags);
	append_bytes(message, &head, sizeof head);
}

static void mark_batch(struct message *message, int type) {
	const struct nfgenmsg head = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
	begin_next(message, type, 0);
	append_bytes(message, &head, sizeof head);
}

struct expression {
	size_t element, data;
};

static struct expression begin_expression(struct message *message, const char *name) {
	struct expression expression = {.element = begin_nest(message, NFTA_LIST_ELEM)};
	put_text(message, NFTA_EXPR_NAME, name);
	expression.data = begin_nest(message, NFTA_EXPR_DATA);
	return expression;
}

static void end_expression(struct message *message, struct expression expression) {
	end_nest(message, expression.data);
	end_nest(message, expression.element);
}

static void put_value(struct message *message, int type, const void *bytes, size_t length) {
	size_t nest = begin_nest(message, type);
	put(message, NFTA_DATA_VALUE, bytes, length);
	end_nest(message, nest);
}

static void compare(struct message *message, enum nft_cmp_ops operator, const void *bytes, size_t length) {
	struct expression expression = begin_expression(message, "cmp");
	put_number(message, NFTA_CMP_SREG, NFT_REG_1);
	put_number(message, NFTA_CMP_OP, operator);
	put_value(message, NFTA_CMP_DATA, bytes, length);
	end_expression(message, expression);
}

/* The rule goes on only for packets whose destination is not in the range. */
static void unless_to(struct message *message, const struct network_address *range) {
	const uint32_t mask = htonl(range->length == 0 ? 0 : ~(uint32_t)0 << (32 - range->length)), none = 0;
	struct expression expression = begin_expression(message, "payload");
	put_number(message, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(message, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(message, NFTA_PAYLOAD_OFFSET, DESTINATION_OFFSET);
	put_number(message, NFTA_PAYLOAD_LEN, sizeof mask);
	end_expression(message, expression);
	expression = begin_expression(message, "bitwise");
	put_number(message, NFTA_BITWISE_SREG, NFT_REG_1);
	put_number(message, NFTA_BITWISE_DREG, NFT_REG_1);
	put_number(message, NFTA_BITWISE_LEN, sizeof mask);
	put_value(message, NFTA_BITWISE_MASK, &mask, sizeof mask);
	put_value(message, NFTA_BITWISE_XOR, &none, sizeof none);
	end_expression(message, expression);
	compare(message, NFT_CMP_NEQ, &range->address, sizeof range->address);
}

static void if_protocol(struct message *message, unsigned char protocol) {
	struct expression expression = begin_expression(message, "meta");
	put_number(message, NFTA_META_DREG, NFT_REG_1);
	put_number(message, NFTA_META_KEY, NFT_META_L4PROTO);
	end_expression(message, expression);
	compare(message, NFT_CMP_EQ, &protocol, sizeof protocol);
}

static void load(struct message *message, uint32_t to, const void *bytes, size_t length) {
	struct expression expression = begin_expression(message, "immediate");
	put_number(message, NFTA_IMMEDIATE_DREG, to);
	put_value(message, NFTA_IMMEDIATE_DATA, bytes, length);
	end_expression(message, expression);
}

/* Gives the packet to the socket at `port` of the loopback address, in the order of the network, and marks it. */
static void give_to(struct message *message, in_port_t port) {
	const uint32_t mark = MARK;
	const struct in_addr host = {htonl(INADDR_LOOPBACK)};
	load(message, NFT_REG_1, &port, sizeof port);
	load(message, NFT_REG_2, &host, sizeof host);
	struct expression expression = begin_expression(message, "tproxy");
	put_number(message, NFTA_TPROXY_FAMILY, NFPROTO_IPV4);
	put_number(message, NFTA_TPROXY_REG_ADDR, NFT_REG_2);
	put_number(message, NFTA_TPROXY_REG_PORT, NFT_REG_1);
	end_expression(message, expression);
	load(message, NFT_REG_1, &mark, sizeof mark);
	expression = begin_expression(message, "meta");
	put_number(message, NFTA_META_SREG, NFT_REG_1);
	put_number(message, NFTA_META_KEY, NFT_META_MARK);
	end_expression(message, expression);
}

static void name_table(struct message *message, int type, int flags) {
	begin_table_message(message, type, flags);
	put_text(message, NFTA_TABLE_NAME, "stint");
}

/* Which packets are for which socket. */
struct capture {
	unsigned char protocol;
	/* In the order of the network; 0: there is no socket. */
	in_port_t port;
};

static void add_rule(struct message *message, const struct network_address *ranges, size_t count, struct capture capture) {
	if (capture.port == 0) return;
	begin_table_message(message, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
	put_text(message, NFTA_RULE_TABLE, "stint");
	put_text(message, NFTA_RULE_CHAIN, "egress");
	size_t nest = begin_nest(message, NFTA_RULE_EXPRESSIONS);
	for (size_t i = 0; i < count; i++) unless_to(message, &ranges[i]);
	if_protocol(message, capture.protocol);
	give_to(message, capture.port);
	end_nest(message, nest);
}

/* Replaces the rules, those of earlier sockets included. */
static bool add_rules(const struct network_address *ranges, size_t count, const struct capture captures[2]) {
	static struct message message;
	memset(&message, 0, sizeof message);
	mark_batch(&message, NFNL_MSG_BATCH_BEGIN);
	name_table(&message, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	name_table(&message, NFT_MSG_DELTABLE, 0);
	name_table(&message, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	begin_table_message(&message, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	put_text(&message, NFTA_CHAIN_TABLE, "stint");
	put_text(&message, NFTA_CHAIN_NAME, "egress");
	size_t nest = begin_nest(&message, NFTA_CHAIN_HOOK);
	put_number(&message, NFTA_HOOK_HOOKNUM, NF_INET_PRE_ROUTING);
	put_number(&message, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY);
	end_nest(&message, nest);
	put_text(&message, NFTA_CHAIN_TYPE, "filter");
	for (int i = 0; i < 2; i++) add_rule(&message, ranges, count, captures[i]);
	mark_batch(&message, NFNL_MSG_BATCH_END);
	int netlink = open_netlink(NETLINK_NETFILTER);
	bool done = netlink >= 0 && ask_kernel(netlink, &message);
	if (netlink >= 0) close(netlink);
	return done;
}

/* Lets marked packets be received, whatever their destination. */
static bool add_route(void) {
	struct message message;
	const uint32_t mark = MARK, device = if_nametoindex("lo");
	const struct fib_rule_hdr rule = {.family = AF_INET, .table = TABLE, .action = FR_ACT_TO_TBL};
	const struct rtmsg route = {
		.rtm_family = AF_INET,
		.rtm_table = TABLE,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL,
	};
	int netlink = open_netlink(NETLINK_ROUTE);
	if (netlink < 0) return false;
	begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	append_bytes(&message, &route, sizeof route);
	put(&message, RTA_OIF, &device, sizeof device);
	bool done = ask_kernel(netlink, &message);
	begin(&message, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
	append_bytes(&message, &rule, sizeof rule);
	put(&message, FRA_FWMARK, &mark, sizeof mark);
	done = done && (ask_kernel(netlink, &message) || errno == EEXIST);
	close(netlink);
	return done;
}

/*
 * A socket that is given connections or datagrams to other addresses than its own. Its own one is the loopback address, so that it
 * takes no port from Services, and no Pod can send to it in another way.
 */
static int transparent_socket(int type, in_port_t *port) {
	const int on = 1;
	struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof place;
	int fd = socket(AF_INET, type, 0);
	bool done = fd >= 0 && setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof on) == 0;
	done = done && bind(fd, (struct sockaddr *)&place, sizeof place) == 0;
	done = done && getsockname(fd, (struct sockaddr *)&place, &length) == 0;
	*port = place.sin_port;
	if (done || fd < 0) return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Gives datagrams to the process at the other end of the channel; the port is 0 with the failure if that cannot be. */
static void capture_datagrams(int channel, struct capture *capture, struct failure *failure) {
	const int on = 1;
	int fd = transparent_socket(SOCK_DGRAM | SOCK_CLOEXEC, &capture->port);
	bool done = fd >= 0 && setsockopt(fd, SOL_IP, IP_RECVORIGDSTADDR, &on, sizeof on) == 0 && give_datagrams(channel, fd);
	if (!done) fail(failure, "socket", "datagrams"), capture->port = 0;
	if (fd >= 0) close(fd);
}

int open_egress(const struct network_address *ranges, size_t count, int channel, struct failure failures[2]) {
	struct capture captures[] = {{.protocol = IPPROTO_TCP}, {.protocol = IPPROTO_UDP}};
	int fd = transparent_socket(SOCK_STREAM, &captures[0].port);
	if (fd < 0) return fail(&failures[0], "socket", "transparent"), -1;
	capture_datagrams(channel, &captures[1], &failures[1]);
	/* Where the module br_netfilter is loaded, rules would meet packets in the bridge, which takes them from the socket again. */
	write_setting("bridge/bridge-nf-call-iptables", "0");
	if (add_route() || fail(&failures[0], "route", NULL)) {
		if (add_rules(ranges, count, captures)) return fd;
		/* Connections alone. */
		if (captures[1].port != 0) fail(&failures[1], "nftables", "tproxy");
		captures[1].port = 0;
		if (add_rules(ranges, count, captures)) return fd;
		fail(&failures[0], "nftables", "tproxy");
	}
	close(fd);
	return -1;
}
