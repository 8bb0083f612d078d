/*
 * The waiter of one container. In a pid namespace of its own it is process 1, so that all other processes end with it;
 * elsewhere it adopts the orphans of its container (a "subreaper"), and kills them one by one. If the container has an
 * image, the program itself is process 1, as images expect, and the waiter is outside.
 *
 * It forwards the signals that it gets to the program, copies between its pipes and the terminal if there is one, and
 * reads lines from the control pipe: "W columns rows" resizes the terminal, "C" closes standard input.
 */
#include "shim.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a waiter tries to kill the remaining processes: one in an uninterruptible sleep must not hold the end. */
#define KILL_WAIT_MS 2000

struct waiter {
	const struct request *request;
	pid_t main;
	/* The pid and start of the program, as the launcher knows them; empty if the program cannot outlive this process. */
	char program[64];
	bool has_ended;
	int status;
	int64_t ended_ms;
	int signals, control, oom;
	/* The /proc of the launcher, until the program runs. */
	int proc;
	/* The list of the children of this process, which must not be one that the container has made. */
	int children;
	/* The output pipes, which the waiter keeps open until the launcher has read them. */
	int out, err;
	/* Holds standard input open until the launcher closes it. */
	int input_hold;
	bool has_terminal;
	struct relay relay;
	char line[64];
	size_t line_length;
};

/* Whether the program's process enters the box, and not its waiter. */
static bool makes_own_box(const struct request *request) {
	return request->has_image && !request->is_chroot && !request->enter;
}

static int open_pipe(const char *path, int flags) {
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
}

/*
 * Opens the output pipe `path`. That of a container is opened for writing and reading: a program must not be killed by
 * SIGPIPE, nor see an error, because the launcher that reads the pipe is gone for a while.
 */
static int open_output(const struct request *request, const char *path) {
	int fd = path ? open_pipe(path, request->enter ? O_WRONLY : O_RDWR) : open("/dev/null", O_RDWR | O_CLOEXEC);
	/* So that `echo > /dev/stdout` works for any user. The owner stays: the launcher uses the pipe again, and its folder is private. */
	if (fd >= 0 && path && fchmod(fd, 0666) != 0) errno = 0;
	return fd;
}

/* In the child: enters the box of a container with an image, and learns its terminal from the waiter. */
static bool prepare_program(const struct request *request, char terminal[64], int report, struct failure *failure) {
	const struct failure ready = {0};
	if (!enter_box(request, failure)) return false;
	if (!request->tty) return true;
	bool done = write(report, &ready, sizeof ready) == sizeof ready && read(report, terminal, 64) == 64;
	return done || fail(failure, "terminal", "/dev/ptmx");
}

/* In the child: becomes the program. Writes the failure to `report` if it cannot. */
static _Noreturn void become_program(const struct request *request, const int io[3], char terminal[64], int report) {
	struct failure failure = {0};
	const uint64_t none = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
	setsid();
	umask(022);
	set_oom_score(request);
	bool ready = !makes_own_box(request) || prepare_program(request, terminal, report, &failure);
	if (ready && request->tty) ready = use_terminal(terminal, &failure);
	else
		for (int fd = 0; fd < 3 && ready; fd++)
			if (dup2(io[fd], fd) < 0) ready = fail(&failure, "dup", NULL);
	ready = ready && join_cgroups(request, &failure) && (!request->is_chroot || enter_chroot(request, &failure));
	ready = ready && enter_folder(request, false, &failure);
	ready = ready && take_identity(request, &failure) && enter_folder(request, true, &failure);
	/* Without a pid namespace, nothing else ends the program if its waiter is killed. */
	if (ready) prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ready && request->dial) relay_port(request, &failure);
	else if (ready) execute(request, &failure);
	if (write(report, &failure, sizeof failure) < 0) _exit(126);
	_exit(127);
}

static bool make_terminal(struct waiter *waiter, char path[64], struct failure *failure) {
	waiter->relay.master = open_terminal(path);
	if (waiter->relay.master < 0) return fail(failure, "terminal", "/dev/ptmx");
	waiter->has_terminal = true;
	return true;
}

/* Reads what the child reports; returns false at the end, which an exec brings about. */
static bool read_report(int report, struct failure *failure) {
	ssize_t got;
	while ((got = read(report, failure, sizeof *failure)) < 0 && errno == EINTR) continue;
	return got == sizeof *failure;
}

/* Opens the terminal in the box that the child has entered, and tells it. Returns false with the failure. */
static bool share_terminal(struct waiter *waiter, int report, struct failure *failure) {
	char path[64] = "";
	if (!read_report(report, failure)) return fail(failure, "terminal", NULL);
	if (failure->step) return false;
	return make_terminal(waiter, path, failure) && write(report, path, sizeof path) == sizeof path;
}

/*
 * Notes which process the program is: if this process is killed, a program that has changed its user is not. The number
 * is of use only where this process is in the process namespace of the launcher, which the descriptor `proc` shows.
 */
static void note_program(struct waiter *waiter, int proc) {
	char self[32] = "", main[16], start[32];
	ssize_t length = readlinkat(proc, "self", self, sizeof self - 1);
	snprintf(main, sizeof main, "%d", (int)waiter->main);
	if (length > 0 && strtol(self, NULL, 10) == getpid() && start_in(proc, main, start))
		snprintf(waiter->program, sizeof waiter->program, "%s %s", main, start);
}

/* Forks the program. Returns false with the failure if it cannot be executed. */
static bool start_program(struct waiter *waiter, const int io[3], char terminal[64], struct failure *failure) {
	const struct request *request = waiter->request;
	int report[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) != 0) return fail(failure, "pipe", NULL);
	if (makes_own_box(request) && request->ns_flags & CLONE_NEWPID && unshare(CLONE_NEWPID) != 0)
		return fail(failure, "unshare", NULL);
	waiter->main = fork();
	if (waiter->main < 0) return fail(failure, "fork", NULL);
	if (waiter->main == 0) become_program(waiter->request, io, terminal, report[1]);
	note_program(waiter, waiter->proc);
	close(report[1]);
	bool failed = request->tty && makes_own_box(request) && !share_terminal(waiter, report[0], failure);
	failed = failed || read_report(report[0], failure);
	close(report[0]);
	return !failed;
}

static void reap(struct waiter *waiter) {
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != waiter->main || waiter->has_ended) continue;
		waiter->status = status;
		waiter->ended_ms = now_ms();
		waiter->has_ended = true;
	}
}

/* Kills the children of this process that are left, those that others' ends have just given to it included. */
static void kill_children(int list) {
	char text[4096];
	ssize_t length = list < 0 ? -1 : pread(list, text, sizeof text - 1, 0);
	if (length <= 0) return;
	text[length] = 0;
	char *at = text;
	for (;;) {
		char *end;
		long pid = strtol(at, &end, 10);
		/* The last number may be cut: the next pass reads it whole. */
		if (end == at || *end == 0) return;
		if (pid > 1) kill((pid_t)pid, SIGKILL);
		at = end;
	}
}

/* Kills all other processes of the container, and waits until they are gone. */
static void kill_others(const struct waiter *waiter, bool is_init) {
	const struct timespec pause = {0, 2 * 1000 * 1000};
	struct timespec begin, now;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (!is_init && waiter->main > 1) kill(-waiter->main, SIGKILL);
	for (;;) {
		if (is_init) kill(-1, SIGKILL);
		else kill_children(waiter->children);
		pid_t pid;
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
		if (pid < 0 && errno == ECHILD) return;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 > KILL_WAIT_MS) return;
		nanosleep(&pause, NULL);
	}
}

/* The number of times that the kernel killed a process of the container for want of memory. */
static long oom_kills(int fd) {
	char text[1024];
	ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
	if (length <= 0) return 0;
	text[length] = 0;
	const char *at = strstr(text, "oom_kill ");
	return at ? strtol(at + strlen("oom_kill "), NULL, 10) : 0;
}

static void obey(struct waiter *waiter, const char *line) {
	if (line[0] == 'W' && waiter->has_terminal) resize_terminal(waiter->relay.master, line + 1);
	if (line[0] == 'C' && waiter->input_hold >= 0) {
		close(waiter->input_hold);
		waiter->input_hold = -1;
	}
}

static void read_control(struct waiter *waiter) {
	char text[256];
	ssize_t length = read(waiter->control, text, sizeof text);
	for (ssize_t i = 0; i < length; i++) {
		if (text[i] != '\n') {
			if (waiter->line_length < sizeof waiter->line - 1) waiter->line[waiter->line_length++] = text[i];
			continue;
		}
		waiter->line[waiter->line_length] = 0;
		waiter->line_length = 0;
		obey(waiter, waiter->line);
	}
}

static void read_signals(struct waiter *waiter) {
	struct signalfd_siginfo info;
	while (read(waiter->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD) continue;
		int number = info.ssi_signo == KILL_SIGNAL ? SIGKILL : (int)info.ssi_signo;
		if (waiter->main > 0 && !waiter->has_ended) kill(waiter->main, number);
	}
	reap(waiter);
}

/* The launcher has closed the control pipe of a session, or is gone: kills the command with its process group. */
static void end_session(struct waiter *waiter) {
	if (!waiter->has_ended) kill(-waiter->main, SIGKILL);
	close(waiter->control);
	waiter->control = -1;
}

/* Waits for one event, and handles it. */
static void step(struct waiter *waiter) {
	struct pollfd fds[6] = {{.fd = waiter->signals, .events = POLLIN}, {.fd = waiter->control, .events = POLLIN}};
	size_t count = 2;
	if (waiter->has_terminal) count += relay_poll(&waiter->relay, fds + count);
	if (poll(fds, count, -1) < 0) return;
	if (fds[0].revents) read_signals(waiter);
	if (fds[1].revents & POLLIN) read_control(waiter);
	else if (fds[1].revents) end_session(waiter);
	if (waiter->has_terminal) relay_step(&waiter->relay, fds + 2, count - 2);
}

/* Whether the pipe has content that a launcher can still read: its folder may have been removed. */
static bool has_unread(int fd) {
	int unread = 0;
	struct stat status;
	if (fd < 0 || ioctl(fd, FIONREAD, &unread) != 0 || unread == 0) return false;
	return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/*
 * Holds the output pipes until they are empty: what the launcher has not read is lost when the last descriptor closes,
 * and the launcher may be gone for a while. It usually reads within a fraction of a millisecond.
 */
static void hold_output(struct waiter *waiter) {
	struct timespec pause = {0, 100 * 1000};
	if (waiter->has_terminal) {
		while (!relay_drained(&waiter->relay)) step(waiter);
		waiter->out = waiter->relay.out;
	}
	while (has_unread(waiter->out) || has_unread(waiter->err)) {
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 50 * 1000 * 1000) pause.tv_nsec *= 2;
	}
}

/* Opens the pipes of the request: as the program's standard streams, or as the two sides of the terminal's relay. */
static bool open_streams(struct waiter *waiter, int io[3], struct failure *failure) {
	const struct request *request = waiter->request;
	/* A session's is opened for reading only, so that its end is seen. */
	int how = request->enter ? O_RDONLY : O_RDWR;
	if (request->control && (waiter->control = open_pipe(request->control, how | O_NONBLOCK)) < 0)
		return fail(failure, "open", request->control);
	if (request->tty) {
		waiter->relay.out = open_pipe(request->out, how == O_RDONLY ? O_WRONLY | O_NONBLOCK : O_RDWR | O_NONBLOCK);
		waiter->relay.in = request->in ? open_pipe(request->in, how | O_NONBLOCK) : -1;
		return waiter->relay.out >= 0 || fail(failure, "open", request->out);
	}
	if (request->in) {
		if (!request->enter) waiter->input_hold = open_pipe(request->in, O_RDWR);
		io[0] = open_pipe(request->in, O_RDONLY);
	} else io[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	io[1] = open_output(request, request->out);
	io[2] = open_output(request, request->err);
	for (int i = 0; i < 3; i++)
		if (io[i] < 0) return fail(failure, "open", i == 0 ? request->in : i == 1 ? request->out : request->err);
	return true;
}

/* The raw calls: those of the C library leave out the signals that it uses itself, KILL_SIGNAL among them. */
static int block_signals(void) {
	const uint64_t all = ~(uint64_t)0;
	for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
	return (int)syscall(SYS_signalfd4, -1, &all, sizeof all, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Enters the mount namespace of the container that `joined` names: last, since the pipes are found in the launcher's. */
static bool enter_view(int joined, struct failure *failure) {
	if (joined < 0 || setns(joined, CLONE_NEWNS) == 0) return true;
	return fail(failure, "enter", NULL);
}

static void open_children(struct waiter *waiter) {
	if (waiter->children >= 0) close(waiter->children);
	waiter->children = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
}

/* Starts the program in its box; returns false with the failure. */
static bool set_up(struct waiter *waiter, int joined, struct failure *failure) {
	const struct request *request = waiter->request;
	int io[3] = {-1, -1, -1};
	char terminal[64] = "";
	if (!join_network(request, failure)) return false;
	if (!open_streams(waiter, io, failure) || !open_cgroups(request, failure) || !read_filter(request, failure)) return false;
	if (request->oom_file) waiter->oom = open(request->oom_file, O_RDONLY | O_CLOEXEC);
	if (request->enter ? !enter_view(joined, failure) : !makes_own_box(request) && !enter_box(request, failure)) return false;
	if (joined >= 0) close(joined);
	/* In a process namespace that it has joined, only the /proc of the box has the numbers that this process can use. */
	if (request->join_pid && !request->enter && !makes_own_box(request)) open_children(waiter);
	if (request->tty && !makes_own_box(request) && !make_terminal(waiter, terminal, failure)) return false;
	bool started = start_program(waiter, io, terminal, failure);
	if (io[0] >= 0) close(io[0]);
	/* The end of a connection ends its pipe at once: each direction ends by itself. */
	if (request->dial && io[1] >= 0) close(io[1]);
	else waiter->out = io[1];
	waiter->err = io[2];
	return started;
}

/*
 * Whether the processes that the program leaves are ended with it: those of a container, and of a session in a container
 * by chroot, which nothing would end with the container.
 */
static bool ends_others(const struct request *request) {
	return !request->enter || request->is_chroot;
}

/* After the program of a session: what it left running goes on, but must not keep the session's pipes open. */
static void finish_session(struct waiter *waiter) {
	if (waiter->has_terminal) {
		while (!relay_drained(&waiter->relay) && waiter->control >= 0) step(waiter);
	}
	report_end(waiter->request->id, waiter->status, waiter->ended_ms, 0);
}

/* The pipe with the requests of the launcher is not for waiters. */
static void leave_requests(void) {
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup3(null, STDIN_FILENO, O_CLOEXEC) < 0) close(STDIN_FILENO);
	if (null > STDIN_FILENO) close(null);
}

_Noreturn void run_container(const struct request *request, int go, int joined) {
	char self[32] = "", start[32] = "", byte;
	struct failure failure = {0};
	struct waiter waiter = {.request = request, .control = -1, .oom = -1, .input_hold = -1, .out = -1, .err = -1, .proc = -1, .children = -1};
	bool is_init = getpid() == 1;
	setsid();
	prctl(PR_SET_NAME, "stint-waiter");
	waiter.signals = block_signals();
	if (request->enter) {
		events_to_output();
		/* Its program is in the namespaces of the container, which must not reach into this process. */
		prctl(PR_SET_DUMPABLE, 0);
	}
	if (!is_init && ends_others(request)) prctl(PR_SET_CHILD_SUBREAPER, 1);
	leave_requests();
	if (go >= 0 && read(go, &byte, 1) != 1) _exit(1);
	/* The /proc of the launcher is still mounted: it gives the process id that the launcher knows. */
	if (readlink("/proc/self", self, sizeof self - 1) <= 0 || !start_of("self", start)) {
		fail(&failure, "proc", "/proc/self");
		report_failure(request->id, &failure);
		_exit(1);
	}
	open_children(&waiter);
	waiter.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!set_up(&waiter, joined, &failure)) {
		if (ends_others(request)) kill_others(&waiter, is_init);
		report_failure(request->id, &failure);
		_exit(1);
	}
	if (waiter.proc >= 0) close(waiter.proc);
	report_started(request->id, (pid_t)strtol(self, NULL, 10), start, waiter.program);
	while (!waiter.has_ended) step(&waiter);
	if (ends_others(request)) kill_others(&waiter, is_init);
	if (request->enter) {
		finish_session(&waiter);
		_exit(0);
	}
	copy_back(request);
	report_end(request->id, waiter.status, waiter.ended_ms, oom_kills(waiter.oom));
	hold_output(&waiter);
	_exit(0);
}
