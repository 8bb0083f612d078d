#ifndef NETLINK_H
#define NETLINK_H
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* netlink.c: messages for the kernel's network. One message, or a batch of them. */

/* Ends in zero bytes: no message is longer than a fraction of it. */
struct message {
	_Alignas(NLMSG_ALIGNTO) char bytes[4096];
	size_t length, last;
};

void *append_bytes(struct message *message, const void *bytes, size_t length);
/* Begins a message, or with begin_next a further one of the same batch. `flags` are added to those of each request. */
void begin(struct message *message, int type, int flags);
void begin_next(struct message *message, int type, int flags);
void put(struct message *message, int type, const void *bytes, size_t length);
void put_text(struct message *message, int type, const char *text);
/* Begins an attribute that holds others; returns where it is, for end_nest. */
size_t begin_nest(struct message *message, int type);
void end_nest(struct message *message, size_t at);
/* Sends the messages, and receives the kernel's first answer. Returns its length, or -1 with errno. */
ssize_t exchange(int socket, struct message *message, void *answer, size_t length);
/* Sends the messages, and waits for the kernel's first answer. Returns false with errno. */
bool ask_kernel(int socket, struct message *message);
int open_netlink(int protocol);

/* An address with the length of its network, as "10.244.0.1/16". */
struct network_address {
	struct in_addr address;
	unsigned char length;
	/* The hardware address that goes with it, the same whenever the address is used again: no neighbour has a stale one. */
	unsigned char hardware[6];
};

bool parse_address(const char *text, struct network_address *parsed);

#endif
