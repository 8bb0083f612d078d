/**
 * The container runtime, after the CRI: sandboxes, containers, images, events. The node agent sees only
 * this contract; host processes, a fake, and later container engines stand behind it.
 *
 * 1. The caller names things (ids come from the caller's uid, name and attempt), so every call that
 *    makes something may be repeated: it then returns what is there.
 * 2. Sandboxes and containers outlive the caller. After a restart `listSandboxes` and `listContainers`
 *    tell what there is, exits included, until `removeContainer` and `removeSandbox`.
 * 3. Each change of a container's state is told once as an event, in order per container; who connects
 *    late reads the state by `listContainers`.
 * 4. Calls for different sandboxes may overlap; those for one sandbox come one at a time.
 * 5. Standard output and error of a container are written to `logPath` in CRI format: each line as
 *    `<RFC 3339 time with nanoseconds> <stdout|stderr> <F|P> <text>`, P for a part of a line over 16 KiB.
 *    The file is complete when the exit is told.
 */
export interface Runtime {
	/** Name and version for the Node's status, `process://0.1.0`. */
	readonly version: string;
	/** Connects; resolves when the runtime can take calls. */
	start(): Promise<void>;
	/** Lets go of the runtime; Pods keep running. `killAll` ends them first. */
	stop(options?: { readonly killAll?: boolean }): Promise<void>;
	/** Tells every event from now on to `listener`; returns the way to stop it. */
	subscribe(listener: (event: ContainerEvent) => void): () => void;

	/** Makes the place the containers of a Pod share. */
	runSandbox(config: SandboxConfig): Promise<Sandbox>;
	/** Kills whatever still runs in the sandbox, at once. */
	stopSandbox(id: string): Promise<void>;
	/** Removes a stopped sandbox with its containers and files. Removing what is gone is fine. */
	removeSandbox(id: string): Promise<void>;
	listSandboxes(): Promise<readonly Sandbox[]>;

	/** Makes sure that the image is there. Rejects with {@link ImageError}. */
	pullImage(image: string): Promise<{ readonly imageRef: string }>;
	/** What `image` stands for if it is there already, else undefined. */
	imageStatus(image: string): Promise<{ readonly imageRef: string } | undefined>;

	/** Makes a container and does not start it. Rejects with {@link ContainerStartError}. */
	createContainer(sandboxId: string, config: ContainerConfig): Promise<ContainerStatus>;
	/** Starts it; resolves once the process runs. Rejects with {@link ContainerStartError}. */
	startContainer(id: string): Promise<ContainerStatus>;
	/** Asks the container to end (SIGTERM) and kills it after `graceSeconds`. Resolves when it was asked. */
	stopContainer(id: string, graceSeconds: number): Promise<void>;
	/** Forgets an exited container; its log file stays with whoever named the path. */
	removeContainer(id: string): Promise<void>;
	listContainers(): Promise<readonly ContainerStatus[]>;
}

/** The Pod that a sandbox is for. */
export interface SandboxConfig {
	readonly podUid: string;
	readonly podName: string;
	readonly podNamespace: string;
	readonly hostname: string;
	/** Counts the sandboxes made for the same Pod, from 0. */
	readonly attempt: number;
}

/** A sandbox. */
export interface Sandbox {
	readonly id: string;
	readonly config: SandboxConfig;
	readonly state: 'ready' | 'stopped';
	/** The Pod's address. */
	readonly ip: string;
	readonly createdAt: number;
}

/** What to run. */
export interface ContainerConfig {
	readonly name: string;
	/** Counts the containers made under this name in the Pod, from 0: the restart count. */
	readonly attempt: number;
	readonly image: string;
	/** Replaces the image's entrypoint; empty: the image's own. */
	readonly command: readonly string[];
	/** Replaces the image's arguments. */
	readonly args: readonly string[];
	readonly env: readonly { readonly name: string; readonly value: string }[];
	/** Empty: the image's own. */
	readonly workingDir: string;
	readonly logPath: string;
	readonly stdin: boolean;
	readonly tty: boolean;
	/** Limits, in the units of the CRI's Linux resources where they apply. */
	readonly resources?: { readonly memoryLimitBytes?: number; readonly cpuLimitMillis?: number };
}

/** What is known of a container. Times in milliseconds since the epoch. */
export type ContainerStatus = {
	readonly id: string;
	readonly sandboxId: string;
	readonly podUid: string;
	readonly name: string;
	readonly attempt: number;
	readonly image: string;
	readonly imageRef: string;
	readonly createdAt: number;
	readonly logPath: string;
} & (
	| { readonly state: 'created' }
	| { readonly state: 'running'; readonly startedAt: number }
	| {
			readonly state: 'exited';
			/** Absent when the process never ran. */
			readonly startedAt?: number;
			readonly finishedAt: number;
			/** 128 + the signal where a signal ended it. */
			readonly exitCode: number;
			readonly signal?: number;
			/** `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`. */
			readonly reason: string;
			readonly message?: string;
	  }
);

/** A container changed its state to the one in `status`. */
export interface ContainerEvent {
	readonly status: ContainerStatus;
}

/** The image cannot be had. `reason` is the waiting reason that the Pod shows. */
export class ImageError extends Error {
	override readonly name = 'ImageError';
	readonly reason: 'ErrImagePull' | 'InvalidImageName' | 'ErrImageNeverPull';

	constructor(reason: ImageError['reason'], message: string) {
		super(message);
		this.reason = reason;
	}
}

/** The container cannot be made or its process not started. */
export class ContainerStartError extends Error {
	override readonly name = 'ContainerStartError';
	readonly reason: 'CreateContainerConfigError' | 'CreateContainerError' | 'RunContainerError';

	constructor(reason: ContainerStartError['reason'], message: string) {
		super(message);
		this.reason = reason;
	}
}
