#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void *append_bytes(struct message *message, const void *bytes, size_t length) {
	void *at = message->bytes + message->length;
	if (message->length + NLMSG_ALIGN(length) > sizeof message->bytes) abort();
	if (length > 0) memcpy(at, bytes, length);
	message->length += NLMSG_ALIGN(length);
	return at;
}

/* The head of a message has its length. */
static void close_last(struct message *message) {
	((struct nlmsghdr *)(void *)(message->bytes + message->last))->nlmsg_len = (uint32_t)(message->length - message->last);
}

void begin(struct message *message, int type, int flags) {
	memset(message, 0, sizeof *message);
	begin_next(message, type, NLM_F_ACK | flags);
}

void begin_next(struct message *message, int type, int flags) {
	const struct nlmsghdr head = {.nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};
	if (message->length > 0) close_last(message);
	message->last = message->length;
	append_bytes(message, &head, sizeof head);
}

void put(struct message *message, int type, const void *bytes, size_t length) {
	const struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = (uint16_t)type};
	append_bytes(message, &attribute, sizeof attribute);
	append_bytes(message, bytes, length);
}

void put_text(struct message *message, int type, const char *text) {
	put(message, type, text, strlen(text) + 1);
}

size_t begin_nest(struct message *message, int type) {
	size_t at = message->length;
	put(message, type, NULL, 0);
	return at;
}

void end_nest(struct message *message, size_t at) {
	((struct rtattr *)(void *)(message->bytes + at))->rta_len = (uint16_t)(message->length - at);
}

ssize_t exchange(int socket, struct message *message, void *answer, size_t length) {
	ssize_t got;
	close_last(message);
	if (send(socket, message->bytes, message->length, 0) < 0) return -1;
	while ((got = recv(socket, answer, length, 0)) < 0 && errno == EINTR) continue;
	return got;
}

bool ask_kernel(int socket, struct message *message) {
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[1024];
	} answer;
	ssize_t got = exchange(socket, message, &answer, sizeof answer);
	if (got < 0) return false;
	bool is_answer = (size_t)got >= sizeof answer.head + sizeof answer.error && answer.head.nlmsg_type == NLMSG_ERROR;
	errno = is_answer ? -answer.error.error : EPROTO;
	return errno == 0;
}

int open_netlink(int protocol) {
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
}

bool parse_address(const char *text, struct network_address *parsed) {
	char address[INET_ADDRSTRLEN];
	const char *slash = text ? strchr(text, '/') : NULL;
	size_t length = slash ? (size_t)(slash - text) : sizeof address;
	errno = EINVAL;
	if (length >= sizeof address) return false;
	memcpy(address, text, length);
	address[length] = 0;
	if (inet_pton(AF_INET, address, &parsed->address) != 1) return false;
	parsed->length = (unsigned char)atoi(slash + 1);
	parsed->hardware[0] = 0x0a;
	parsed->hardware[1] = 0x58;
	memcpy(parsed->hardware + 2, &parsed->address, 4);
	return true;
}
