import type { ContainerConfig, ContainerResources } from '../api/contract/container-config.ts';
import type { Duplex } from '../api/contract/duplex.ts';
import type { RuntimeContainerState } from '../api/contract/runtime-container-state.ts';
import type { RuntimeTraits } from '../api/contract/runtime-traits.ts';
import type { SandboxConfig, SandboxMetadata } from '../api/contract/sandbox-config.ts';
import type { ContainerUsage } from '../api/contract/usage.ts';
import type { ContainerFiles } from './files/container-files.ts';
import type { PodSockets } from './pod-sockets.ts';

/**
 * The contract of a container runtime, modelled on the CRI: sandboxes, containers, images, events. The node agent depends on
 * this contract only. What it says about sandboxes and containers is in api/contract/sandbox-config.ts and
 * container-config.ts; a runtime reads the parts that its traits declare. Implementations: host processes (process/), Docker
 * and Podman (docker/), containerd and CRI-O (cri/), and a fake (fake/). Each passes the tests in contract-suite.ts, whose
 * titles start with the numbers below.
 *
 * 1. The caller determines the ids (from the Pod's UID, the name and the attempt; see ids.ts). So each call that
 *    creates something may be repeated: it returns the existing sandbox or container, in whatever state.
 * 2. Sandboxes and containers outlive the caller. After a restart, `listSandboxes` and `listContainers` return
 *    them, exited ones included, until `removeContainer` and `removeSandbox`.
 * 3. Listeners receive one event when a container starts to run and one when it exits, in order per container, and
 *    before the call that caused it resolves. There is no event for the creation, which `createContainer` returns.
 *    A caller that connects later reads the current state by `listContainers`.
 * 4. Calls for different sandboxes may overlap; the caller makes those for one sandbox one at a time.
 * 5. The runtime writes standard output and error of a container to `logPath` in CRI format: each line as
 *    `<RFC 3339 time, with up to 9 digits of a second> <stdout|stderr> <F|P> <text>`, with P for a part of at most 16 KiB of
 *    a longer line and for a last line without line end. The file is complete when the exit is reported. If the container wrote
 *    nothing, there need be no file. The runtime creates the file's folder. It may rotate the file: older parts are
 *    then `<logPath>.<number of the lines before it, in 16 digits>`, and it keeps at least one.
 * 6. A container whose program cannot be started exits with code 128, reason `StartError` and no `startedAt`;
 *    `startContainer` also rejects with {@link ContainerStartError}.
 * 7. When a container's main process exits, the runtime kills its other processes.
 * 8. When the runtime itself dies, its containers continue where the machine allows it. After its restart it reports, as
 *    events and by `listContainers`, what happened meanwhile. A container that did not continue, and whose end it cannot
 *    know, has exited with code 137 and reason `ContainerStatusUnknown`. Calls meanwhile wait or reject with
 *    {@link RuntimeUnavailable}. It may forget containers that were created and not started.
 * 9. Stopping or removing something that has exited or does not exist succeeds and changes nothing.
 * 10. `exec` runs a further process in a running container. Its output goes to the caller and not to the log. It ends
 *     at the latest with the container or when the caller closes the streams: the runtime kills it then. Sessions do
 *     not outlive the caller's connection to the runtime. Calls of `exec` may overlap with all others.
 * 11. `attach` connects the caller to the main process of a running container: to its output from then on, which the
 *     log receives as before, and to its standard input if the container has `stdin`. Several callers may be attached,
 *     and each receives all output; the container waits for one that reads slowly. The streams are closed after the last
 *     output. A close by the caller leaves the container running; with `stdinOnce`, its standard input is closed when the
 *     first caller that attached to it ends that channel or leaves. Without `stdinOnce` it stays open.
 * 12. `portForward` opens a TCP connection to a port on the loopback address of the sandbox's network. For a sandbox
 *     that shares the network of the host, `dialHostPort` (host-port.ts) does that. It ends at the latest with the sandbox.
 *     Calls of `attach` and `portForward` may overlap with all others.
 * 13. What a container writes to its `terminationMessagePath` is in the `terminationMessageFile` of the host when the exit
 *     is reported, if the runtime's traits declare that it honours the field.
 * 14. `updateContainerResources` changes requests and limits of a running container in place, if the trait `canResize`
 *     says so; the process continues. A call replaces all amounts, and may be repeated. If it rejects, the container has
 *     the amounts of before.
 * 15. `usage` measures all running containers, in any order. One that starts or ends meanwhile may be missing.
 * 16. A runtime with `images` keeps them itself, and the node agent removes unused ones. An image is in use while a container
 *     exists that was made from it, also one of another user of the same images; `remove` rejects for such an image, and
 *     containers never lose files by it.
 */
export interface Runtime {
	/** Which fields of a Pod the runtime honours, and the user that its containers run as. Never changes. */
	readonly traits: RuntimeTraits;
	/** The Node's `containerRuntimeVersion`: name and version, such as `process://0.1.0`. */
	readonly version: string;
	/** By these, this process reaches the addresses of Pods. Absent: by its own network. Known once the runtime is started. */
	readonly podSockets?: PodSockets;
	/** By these, the node works on files of containers. Absent: as its own process. Known once the runtime is started. */
	readonly containerFiles?: ContainerFiles;
	/** Connects; resolves when the runtime can take calls. */
	start(): Promise<void>;
	/** Disconnects; containers keep running. With `killAll` it first kills and removes all sandboxes. */
	stop(options?: { readonly killAll?: boolean }): Promise<void>;
	/** Calls `listener` with every event from now on; returns a function that unsubscribes it. */
	subscribe(listener: (event: ContainerEvent) => void): () => void;

	/** Creates the sandbox that the containers of a Pod share. */
	runSandbox(config: SandboxConfig): Promise<Sandbox>;
	/** Kills all running containers of the sandbox at once; resolves after the events of their exits. */
	stopSandbox(id: string): Promise<void>;
	/** Removes a sandbox with its containers and files. Kills running containers first. */
	removeSandbox(id: string): Promise<void>;
	listSandboxes(): Promise<readonly Sandbox[]>;

	/** The images; undefined for a runtime that has none, or whose engine manages them. Its calls need a started runtime. */
	readonly images?: RuntimeImages | undefined;
	/** Makes the image available. Rejects with {@link ImageError}. */
	pullImage(image: string, options?: PullOptions): Promise<PulledImage>;
	/**
	 * The reference of `image` if it is available, else undefined. An image that was pulled with credentials is available
	 * only to those who have them too (upstream: the feature KubeletEnsureSecretPulledImages). Rejects with
	 * {@link ImageError}.
	 */
	imageStatus(image: string, options?: PullOptions): Promise<{ readonly imageRef: string } | undefined>;

	/** Creates a container without starting it. Rejects with {@link ContainerStartError}. */
	createContainer(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer>;
	/**
	 * Starts the container; resolves once its process runs. Rejects with {@link ContainerStartError}, or within about
	 * a second with {@link RuntimeBusy} if the machine is short of file descriptors, processes, memory or disk.
	 */
	startContainer(id: string): Promise<RuntimeContainer>;
	/**
	 * Sends SIGTERM to the main process and kills the container after `graceSeconds`. Resolves once the signal is
	 * sent. A repeated call can only shorten the grace period.
	 */
	stopContainer(id: string, graceSeconds: number): Promise<void>;
	/** Removes a container, killing it first if it runs. The caller owns the log file and removes it. */
	removeContainer(id: string): Promise<void>;
	listContainers(): Promise<readonly RuntimeContainer[]>;

	/**
	 * Changes the resources of a running container; resolves once they apply. Rejects with {@link ContainerResizeError}, and
	 * with {@link RuntimeUnavailable} like the other calls.
	 */
	updateContainerResources(id: string, resources: ContainerResources): Promise<void>;

	/** What the running containers use; only of this node's containers. Measures when called, and only then. */
	usage(): Promise<readonly ContainerUsage[]>;

	/**
	 * Runs a command in a running container; resolves once it runs. Rejects with {@link ExecError}, and with
	 * {@link RuntimeUnavailable} or {@link RuntimeBusy} like the other calls. Each call starts a process of its own.
	 */
	exec(containerId: string, config: ExecConfig): Promise<ExecSession>;
	/**
	 * Attaches to a running container. The streams have the channels of {@link ExecSession.streams}; the caller owns
	 * them. Rejects like `exec`.
	 */
	attach(containerId: string, config: AttachConfig): Promise<Duplex>;
	/**
	 * Connects to a port in a sandbox. Both directions of the stream are its channel 0, and an end of it is a half close.
	 * The caller owns it. Rejects with {@link PortForwardError}, and with {@link RuntimeUnavailable} like the other calls.
	 */
	portForward(sandboxId: string, port: number): Promise<Duplex>;
}

/** The streams of a container to attach to. The terminal is that of the container, if it has one. */
export interface AttachConfig {
	/** If true, the caller sends standard input. It is dropped if the container has no `stdin`. */
	readonly stdin: boolean;
	/** If false, this output is not sent to the caller. With a terminal it is all output. */
	readonly stdout: boolean;
	readonly stderr: boolean;
}

/** The command to run in a container, and the streams to connect. */
export interface ExecConfig {
	/** The program and its arguments; at least one element. No shell interprets it. */
	readonly command: readonly string[];
	/** If false, the standard input is empty. */
	readonly stdin: boolean;
	/** If false, the runtime discards this output. */
	readonly stdout: boolean;
	/** The same. With `tty` there is no separate standard error, and this is false. */
	readonly stderr: boolean;
	/** Whether the process gets a terminal. Its output is that of `stdout` then. */
	readonly tty: boolean;
}

/** A process that {@link Runtime.exec} has started. */
export interface ExecSession {
	/**
	 * The channels `stdin` and `resize` from the caller, `stdout` and `stderr` to it. An end of `stdin` is the end of the
	 * process's standard input. The runtime closes the streams after the last output. The caller owns them.
	 */
	readonly streams: Duplex;
	/**
	 * Resolves to the exit code once the process has exited and the streams are closed: 128 + the signal number if a
	 * signal ended the process, so 137 if it was killed with its container or by a close. Never rejects.
	 */
	readonly exitCode: Promise<number>;
}

/** How an image is pulled. */
export interface PullOptions {
	/** The Secrets of the Pod with credentials for registries, in its order. Never logged, never part of an error. */
	readonly pullSecrets?: readonly ImagePullSecret[];
}

/** A Secret with credentials for registries. */
export interface ImagePullSecret {
	readonly uid: string;
	readonly namespace: string;
	readonly name: string;
	/** The text of a `config.json` of Docker, or of the older `.dockercfg`, which is its part `auths` alone. */
	readonly text: string;
	readonly isLegacy: boolean;
}

/** A pulled image. */
export interface PulledImage {
	readonly imageRef: string;
	/** Its size on disk; 0 for a runtime without images. */
	readonly sizeBytes: number;
}

/** The images of a runtime (in the CRI: ListImages, RemoveImage, ImageFsInfo). */
export interface RuntimeImages {
	list(): Promise<readonly RuntimeImage[]>;
	/** Removes an image with all its names; does nothing if there is none. Rejects if it is in use. */
	remove(id: string): Promise<void>;
	/** The disk that holds the images. */
	disk(): Promise<ImageDisk>;
}

/** An image of a runtime. Times are in ms since the epoch. */
export interface RuntimeImage {
	readonly id: string;
	/** Its names with a tag. */
	readonly tags: readonly string[];
	/** Its names with the digest that the registry gave. */
	readonly digests: readonly string[];
	/** What it takes on disk. Parts that it shares with other images count for each. */
	readonly sizeBytes: number;
	/** When it was pulled or loaded for the first time. */
	readonly addedAt: number;
	/** When a container was last made from it, or it was last pulled. */
	readonly lastUsedAt: number;
	/** Whether a container exists that was made from it. */
	readonly isInUse: boolean;
}

/** The size of a disk that holds images. */
export interface ImageDisk {
	readonly capacityBytes: number;
	readonly availableBytes: number;
}

/** The environment that the containers of one Pod share. */
export interface Sandbox {
	readonly id: string;
	readonly config: SandboxMetadata;
	readonly state: 'ready' | 'stopped';
	/** The Pod's IP address. */
	readonly ip: string;
	/** Milliseconds since the epoch. */
	readonly createdAt: number;
}

/** The state of a container. Times are in milliseconds since the epoch. */
export type RuntimeContainer = {
	readonly id: string;
	readonly sandboxId: string;
	readonly podUid: string;
	readonly name: string;
	readonly attempt: number;
	readonly image: string;
	readonly imageRef: string;
	readonly createdAt: number;
	readonly logPath: string;
} & RuntimeContainerState;

/** A container has entered the state in `status`. */
export interface ContainerEvent {
	readonly status: RuntimeContainer;
}

/** The image is not available. `reason` becomes the waiting reason in the container's status. */
export class ImageError extends Error {
	override readonly name: string = 'ImageError';
	readonly reason:
		| 'ErrImagePull'
		| 'InvalidImageName'
		| 'ErrImageNeverPull'
		| 'RegistryUnavailable'
		| 'SignatureValidationFailed';

	constructor(reason: ImageError['reason'], message: string) {
		super(message);
		this.reason = reason;
	}
}

/** The container could not be created, or its process not started. The caller reports it and retries with backoff. */
export class ContainerStartError extends Error {
	override readonly name = 'ContainerStartError';
	readonly reason: 'CreateContainerConfigError' | 'CreateContainerError' | 'RunContainerError';

	constructor(reason: ContainerStartError['reason'], message: string) {
		super(message);
		this.reason = reason;
	}
}

/** The resources of the container could not be changed. The caller reports it and retries later. */
export class ContainerResizeError extends Error {
	override readonly name = 'ContainerResizeError';
}

/** The command could not be started in the container, or not attached to it. The caller reports it and does not retry. */
export class ExecError extends Error {
	override readonly name = 'ExecError';
	readonly reason: 'ContainerNotRunning' | 'StartError' | 'Unsupported';

	constructor(reason: ExecError['reason'], message: string) {
		super(message);
		this.reason = reason;
	}
}

/** The port could not be connected to. The message becomes part of the one that the client prints. */
export class PortForwardError extends Error {
	override readonly name = 'PortForwardError';
}

/** The runtime cannot be reached. The call may or may not have taken effect: the caller retries it later. */
export class RuntimeUnavailable extends Error {
	override readonly name: string = 'RuntimeUnavailable';
}

/**
 * The machine is short of file descriptors, processes, memory or disk, and cannot start the container now. The
 * container is unchanged: the caller retries later. This is not a failure of the container.
 */
export class RuntimeBusy extends RuntimeUnavailable {
	override readonly name = 'RuntimeBusy';
}
