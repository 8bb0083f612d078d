/*
 * stint-shim starts the containers of a launcher, waits for each, and writes their ends to disk.
 *
 *   stint-shim serve EVENTS POKE   reads requests from standard input, until its end
 *   stint-shim pause               holds the namespaces of a Pod, and removes the processes that end in them
 *   stint-shim probe [FOLDER]      tries what this machine allows, and prints it; FOLDER is where images would be
 *   stint-shim network             tries whether Pods can have networks of their own, and prints it
 *   stint-shim ports PID           gives connections to ports of Services to sockets of a process; see ports.c
 *   stint-shim layer FOLDER user|root
 *                                  makes the whiteouts of an unpacked layer of an image; see layer.c
 *   stint-shim userns UIDS GIDS PROGRAM...
 *                                  runs a program in a user namespace with these maps
 *
 * Read in this order: main.c, serve.c (requests), container.c (the waiter of one container), box.c (namespaces and
 * mounts), root.c (the root of a container with an image), chroot.c (the same without mounts), identity.c (user, capabilities, system call filter),
 * program.c, terminal.c, network.c (the networks of Pods), node.c, egress.c and datagrams.c (those of an ordinary user); request.c
 * decodes, events.c writes.
 *
 * 1. `serve` keeps no state: it forks one waiter per container and forgets it. Waiters outlive it and the launcher.
 * 2. A waiter appends "S id pid start ms" to the file EVENTS once the program runs, with the pid and start of the program
 *    behind it if the program can outlive a waiter that is killed; "F id errno step detail" if it cannot run, and "E id status ms oom" when it has ended and all its processes are gone. Only then does it write a byte to
 *    the named pipe POKE. So an end is on disk before any process is told, whichever process is killed.
 * 3. A command of an exec session has a waiter too, in the namespaces of its container. Its events go to standard output,
 *    and it is killed when the launcher closes its control pipe: sessions do not outlive the launcher.
 * 4. Paths and values come from Pods and are not trusted: sub-paths are resolved beneath their volume, every descriptor
 *    is closed on exec, requests have a maximum length.
 * 5. A waiter holds about 100 KiB: it never allocates after its container runs, and shares its code with all others.
 */
#ifndef SHIM_H
#define SHIM_H
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_REQUEST (8u << 20)
#define MAX_CGROUPS 8

/*
 * Kills all processes of a container; any other signal to a waiter is forwarded. The C libraries keep this number for
 * themselves, so that no stop signal has it. A container that sends it to its own waiter kills only itself.
 */
#define KILL_SIGNAL 33

struct mount_request {
	const char *source, *sub_path, *target;
	/* Whether mounts that the host makes later below it appear. */
	bool read_only, recursive, follows_host;
	/* Whether the file of the container replaces the source at its end; only with chroot. */
	bool copies_back;
};

/* A file system that the waiter mounts, such as the private /dev/shm. */
struct fs_request {
	const char *type, *target, *options;
};

struct setting {
	const char *path, *value;
};

/* What a start or an exec asks for. All strings point into the body of the request. */
struct request {
	const char *id;
	char **argv, **envp;
	size_t argc, envc;
	const char *cwd, *in, *out, *err, *control, *hostname, *seccomp;
	bool tty, enter, no_new_privs, read_only_root, set_user, set_groups, set_caps, user_ns;
	uint64_t ns_flags, caps;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t group_count;
	int oom_score_adj;
	bool set_oom_score_adj;
	/* The process whose namespaces a container joins, or exec enters; 0 for none. */
	pid_t join_pid;
	const char *join_start;
	const char *cgroups[MAX_CGROUPS];
	size_t cgroup_count;
	const char *oom_file;
	/* Lines of the user namespace's maps: "inner outer count". */
	const char *uid_map, *gid_map;
	struct mount_request *mounts;
	size_t mount_count;
	struct fs_request *file_systems;
	size_t fs_count;
	struct setting *sysctls;
	size_t sysctl_count;
	/*
	 * The root of a container with an image: the folder at which it is mounted. With `lower`, the folders of its layers,
	 * the uppermost first, it is an overlay that is written to `upper`, with `work` beside it; without, `root` holds a copy
	 * of the image.
	 */
	const char *root, *upper, *work;
	char **lower;
	size_t lower_count;
	/* Paths are those of an image: none is searched for by its last part. */
	bool has_image;
	/* `root` is entered by chroot, and mounts are made by copying: see chroot.c. */
	bool is_chroot;
	/* Paths that the container cannot read, and those that it cannot write. */
	char **masked, **protected;
	size_t masked_count, protected_count;
	/* Symbolic links to make, by path and target. */
	struct setting *links;
	size_t link_count;
	/* Path of the network namespace to join, and the port to connect to in place of a program. */
	const char *netns;
	/* Path of the network namespace of the node (node.c): a change is made there, and the waiter of a container holds it. */
	const char *node;
	unsigned short dial;
	/* For a request about networks, its kind, and what it is about: see network.c. */
	const char *network, *device, *bridge, *address, *gateway, *alias;
	int descriptor;
};

/* The step that failed, with errno and what it was about: reported to the launcher, which words the message. */
struct failure {
	const char *step;
	int error;
	char detail[512];
};

/* request.c */
/* Reads one request from `fd`. Returns 1, 0 at the end of the input, or -1 for a damaged or oversized one. */
int read_request(int fd, struct request *request, char **body);
void free_request(struct request *request, char *body);

/* events.c */
void events_open(const char *events, const char *poke);
/* From now on, this process reports to standard output: the events of exec sessions need not outlive the launcher. */
void events_to_output(void);
/* `program` is the pid and start of the program, or empty. */
void report_started(const char *id, pid_t pid, const char *start, const char *program);
void report_failure(const char *id, const struct failure *failure);
void report_end(const char *id, int status, int64_t ms, long oom_kills);

/* container.c */
/*
 * Runs as the waiter of one container; never returns. `go` is a pipe to wait on before the first step, or -1; `joined`
 * is a descriptor of the process whose namespaces it has joined, or -1.
 */
_Noreturn void run_container(const struct request *request, int go, int joined);

/* box.c */
bool enter_box(const struct request *request, struct failure *failure);
bool open_cgroups(const struct request *request, struct failure *failure);
bool join_cgroups(const struct request *request, struct failure *failure);
/* A copy of the mounts at `name`, seen from `folder`, not attached anywhere yet; -1 with errno. */
int tree_of(int folder, const char *name);
bool attach(int tree, int folder, const char *name, unsigned flags);
/* A new file system with options as of mount(8), not mounted anywhere yet; -1 with errno. */
int new_fs(const char *type, const char *options, unsigned attributes);
bool set_attributes(int tree, bool recursive, uint64_t set, uint64_t propagation);
/* The file or folder that a mount shows, opened as a path; -1 with the failure. */
int open_source(const struct mount_request *mount, struct failure *failure);
bool copy_link(int from, int to, const char *name);

/* root.c */
/* Mounts the root of a container with an image, and changes to it. Until leave_old_root, the old one is only out of sight. */
bool enter_root(const struct request *request, struct failure *failure);
bool leave_old_root(const struct request *request, struct failure *failure);
int open_in_root(const char *path);
bool make_in_root(const char *target, bool is_folder, struct failure *failure);
bool make_links(const struct request *request, struct failure *failure);
bool hide_paths(const struct request *request, struct failure *failure);

/* chroot.c */
/* Changes to the root of the request, after what the container would mount was copied into it. */
bool enter_chroot(const struct request *request, struct failure *failure);
/* Copies the files that the container wrote for the launcher, once its processes have ended. */
void copy_back(const struct request *request);

/* identity.c */
/* While the /proc of the launcher, or one of the container's own, is in view. */
void set_oom_score(const struct request *request);
/* Reads the system call filter, whose path is the launcher's and not the container's. */
bool read_filter(const struct request *request, struct failure *failure);
/* Gives this process the user, groups, capabilities and filter of the request. */
bool take_identity(const struct request *request, struct failure *failure);

/* program.c */
bool enter_folder(const struct request *request, bool is_last_try, struct failure *failure);
/* Replaces this process by the program of the request; returns only if that fails. */
void execute(const struct request *request, struct failure *failure);

/* terminal.c */
/* Opens a terminal: the master's descriptor, with the path of the other end in `path`; -1 with errno. */
int open_terminal(char path[64]);
/* Makes the terminal at `path` the controlling one of this process, and its standard streams. */
bool use_terminal(const char *path, struct failure *failure);
/* One pass of copying between `in`, `out` and the terminal. See terminal.c. */
struct relay {
	int master, in, out;
	char to_master[4096], from_master[16384];
	size_t to_length, to_at, from_length, from_at;
	bool in_ended, master_ended;
};
struct pollfd;
size_t relay_poll(const struct relay *relay, struct pollfd *fds);
void relay_step(struct relay *relay, const struct pollfd *fds, size_t count);
bool relay_drained(const struct relay *relay);
void resize_terminal(int master, const char *line);

/* network.c */
/* Performs a request about networks, and answers it. */
void serve_network(const struct request *request);
/* Writes a file below /proc/sys/net, if the kernel has it. */
void write_setting(const char *name, const char *value);
bool change_network(const struct request *request, int *made, struct failure *failure);
/* In the new network namespace of a node: sets its settings. `made` is a descriptor of it. */
bool furnish_node(const struct request *request, int *made, struct failure *failure);
bool join_network(const struct request *request, struct failure *failure);
int try_network(void);
/*
 * Connects standard input and output to the port of the request until both directions have ended; never returns then. All other
 * descriptors are closed once it is connected. Returns only if it cannot connect: the detail is the errno for 127.0.0.1, the
 * error that for ::1.
 */
void relay_port(const struct request *request, struct failure *failure);

/* node.c */
typedef bool work(const struct request *request, int *made, struct failure *failure);
/* Performs a request in a child with the new namespaces `flags`. `made` becomes the descriptor that the child has made, if any. */
bool by_child(const struct request *request, uint64_t flags, work *perform, int *made, struct failure *failure);
/* Joins the network namespace at `path`, and the user namespace that owns it. */
bool enter_network(const char *path, struct failure *failure);
/* As change_network, in the network namespace of the node. */
bool change_in_node(const struct request *request, int *made, struct failure *failure);
/* Makes the network namespace of a node, in a user namespace with the maps of the request. */
bool make_node(const struct request *request, int *made, struct failure *failure);
/*
 * Becomes a program in the network of the node. `argv` begins with the ranges of addresses that need no egress, up to "--". The
 * variable STINT_EGRESS tells the program the descriptor of the socket for egress, or why there is none: "errno step";
 * STINT_DATAGRAMS why datagrams are not forwarded, or nothing. Returns the exit code if that fails.
 */
int run_in_node(const char *node, char **argv);

/* egress.c */
#define MAX_EGRESS_RANGES 4
struct network_address;
/*
 * A socket that gets all TCP connections of Pods to addresses in none of these ranges; -1 with the first failure. Their datagrams to
 * such addresses go to the process of `channel`, unless there is a second failure.
 */
int open_egress(const struct network_address *ranges, size_t count, int channel, struct failure failures[2]);

/* datagrams.c */
/*
 * Forks a process that forwards datagrams to addresses in none of the ranges in the present network, once give_datagrams has given it
 * the socket for them by the channel that is returned; -1 if that fails. The channel is at its end when the process is.
 */
int fork_datagrams(const struct network_address *inside, size_t count);
/* Lets the process of `channel` forward what the transparent socket `inside` gets, and answer in the present network. */
bool give_datagrams(int channel, int inside);

/* ports.c */
int serve_ports(pid_t pid);

/* main.c */
bool fail(struct failure *failure, const char *step, const char *detail);
int64_t now_ms(void);
/* The start time of a process in clock ticks since boot, as the launcher reads it; false if there is none. */
bool start_of(const char *pid, char start[32]);
/* The same, by a descriptor of /proc: a waiter may no longer have the launcher's at its place. */
bool start_in(int proc, const char *pid, char start[32]);
/*
 * Forks a child in new namespaces. Without any by fork(2): the system call filter of Docker, and of runtimes that take it
 * over, answers ENOSYS to clone3, whose flags it cannot read.
 */
pid_t fork_into(uint64_t flags);
int serve(const char *events, const char *poke);
int probe(const char *folder);

/* layer.c */
int mark_layer(const char *path, bool user);

/* userns.c */
/*
 * Maps the ids of the user namespace of the process `pid`, by lines "inner outer count". `may_map` says whether this process
 * has the rights to map any id; otherwise programs do that.
 */
bool map_ids(pid_t pid, const char *uid_map, const char *gid_map, bool may_map, struct failure *failure);
/* Returns the exit code of the program, as a shell does. */
int run_in_user_namespace(const char *uid_map, const char *gid_map, char **argv);

#endif
