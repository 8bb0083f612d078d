/* Terminals: the waiter holds the master, and copies between it and the two pipes that the launcher has. */
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int open_terminal(char path[64]) {
	int number, unlocked = 0;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (master < 0) return -1;
	if (ioctl(master, TIOCSPTLCK, &unlocked) != 0 || ioctl(master, TIOCGPTN, &number) != 0) {
		close(master);
		return -1;
	}
	snprintf(path, 64, "/dev/pts/%d", number);
	return master;
}

bool use_terminal(const char *path, struct failure *failure) {
	int fd = open(path, O_RDWR | O_NOCTTY);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0) return fail(failure, "terminal", path);
	for (int i = 0; i < 3; i++)
		if (dup2(fd, i) < 0) return fail(failure, "dup", NULL);
	if (fd > 2) close(fd);
	return true;
}

void resize_terminal(int master, const char *line) {
	unsigned columns, rows;
	if (sscanf(line, "%u %u", &columns, &rows) != 2) return;
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
	ioctl(master, TIOCSWINSZ, &size);
}

/* Fills `fds` with what the relay waits for: reading only where there is room, writing only what there is. */
size_t relay_poll(const struct relay *relay, struct pollfd *fds) {
	bool to_master = relay->to_length > 0, from_master = relay->from_length > 0;
	short master_events = (short)((to_master ? POLLOUT : 0) | (from_master ? 0 : POLLIN));
	fds[0] = (struct pollfd){.fd = relay->master_ended ? -1 : relay->master, .events = master_events};
	fds[1] = (struct pollfd){.fd = relay->in_ended || to_master ? -1 : relay->in, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = from_master ? relay->out : -1, .events = POLLOUT};
	return 3;
}

/* Writes what is left of a buffer; a closed reader loses it. */
static void flush(int fd, const char *buffer, size_t *at, size_t *length) {
	ssize_t wrote = write(fd, buffer + *at, *length);
	if (wrote < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (wrote < 0) wrote = (ssize_t)*length;
	*at += (size_t)wrote;
	*length -= (size_t)wrote;
}

static void fill(int fd, char *buffer, size_t size, size_t *at, size_t *length, bool *ended) {
	ssize_t got = read(fd, buffer, size);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
	/* EIO: no process has the terminal open any more. */
	if (got <= 0) *ended = true;
	*at = 0;
	*length = got > 0 ? (size_t)got : 0;
}

void relay_step(struct relay *relay, const struct pollfd *fds, size_t count) {
	if (count < 3) return;
	if (fds[1].revents)
		fill(relay->in, relay->to_master, sizeof relay->to_master, &relay->to_at, &relay->to_length, &relay->in_ended);
	if (fds[0].revents & POLLOUT) flush(relay->master, relay->to_master, &relay->to_at, &relay->to_length);
	if (fds[0].revents & (POLLIN | POLLHUP) && relay->from_length == 0)
		fill(relay->master, relay->from_master, sizeof relay->from_master, &relay->from_at, &relay->from_length,
		     &relay->master_ended);
	if (relay->from_length > 0) flush(relay->out, relay->from_master, &relay->from_at, &relay->from_length);
}

bool relay_drained(const struct relay *relay) {
	return relay->from_length == 0 && relay->master_ended;
}
