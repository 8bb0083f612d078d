import type { RuntimeTraits } from '../../api/meta/runtime-traits.ts';

/**
 * The container runtime, after the CRI: sandboxes, containers, images, events. The node agent sees only
 * this contract; host processes, a fake, and later container engines stand behind it.
 *
 * 1. The caller names things (ids come from the caller's uid, name and attempt; see ids.ts), so every
 *    call that makes something may be repeated: it then returns what is there, whatever its state.
 * 2. Sandboxes and containers outlive the caller. After a restart `listSandboxes` and `listContainers`
 *    tell what there is, exits included, until `removeContainer` and `removeSandbox`.
 * 3. Each change of a container's state to running and to exited is told once as an event, in order per
 *    container and before the call that caused it resolves; that it was made, the answer tells. Who
 *    connects late reads the state by `listContainers`.
 * 4. Calls for different sandboxes may overlap; those for one sandbox come one at a time.
 * 5. Standard output and error of a container are written to `logPath` in CRI format: each line as
 *    `<RFC 3339 time with nanoseconds> <stdout|stderr> <F|P> <text>`, P for a part of a line over 16 KiB
 *    and for a last line without its line end. The file is complete when the exit is told. There need
 *    be none if nothing was written; its folder is made where it is missing. A runtime may rotate it: the
 *    older parts are then `<logPath>.<number of the lines before it, in 16 digits>`, and one at least is kept.
 * 6. A container whose program cannot be started has exited with code 128 and reason `StartError`, and
 *    without `startedAt`; `startContainer` rejects with {@link ContainerStartError} as well.
 * 7. With a container's main process all its other processes end.
 * 8. When the runtime itself dies, so do the containers: once it is back they are told, as events and by
 *    `listContainers`, as exited with code 137 and reason `ContainerStatusUnknown`. Calls meanwhile wait
 *    or reject with {@link RuntimeUnavailable}; what was made but never started may be forgotten.
 * 9. Stopping or removing what is gone, or has ended, is fine and changes nothing.
 */
export interface Runtime {
	/** What it honours of a Pod's fields, and who its containers run as. Never changes. */
	readonly traits: RuntimeTraits;
	/** Name and version for the Node's status, `process://0.1.0`. */
	readonly version: string;
	/** Connects; resolves when the runtime can take calls. */
	start(): Promise<void>;
	/** Lets go of the runtime; Pods keep running. `killAll` ends and removes every one first. */
	stop(options?: { readonly killAll?: boolean }): Promise<void>;
	/** Tells every event from now on to `listener`; returns the way to stop it. */
	subscribe(listener: (event: ContainerEvent) => void): () => void;

	/** Makes the place the containers of a Pod share. */
	runSandbox(config: SandboxConfig): Promise<Sandbox>;
	/** Kills whatever still runs in the sandbox, at once; resolves when the exits have been told. */
	stopSandbox(id: string): Promise<void>;
	/** Removes a sandbox with its containers and files; what still runs is killed first. */
	removeSandbox(id: string): Promise<void>;
	listSandboxes(): Promise<readonly Sandbox[]>;

	/** Makes sure that the image is there, and good for `use`. Rejects with {@link ImageError}. */
	pullImage(image: string, use: ImageUse): Promise<PulledImage>;
	/** What `image` stands for if it is there already and good for `use`, else undefined. */
	imageStatus(image: string, use: ImageUse): Promise<{ readonly imageRef: string } | undefined>;

	/** Makes a container and does not start it. Rejects with {@link ContainerStartError}. */
	createContainer(sandboxId: string, config: ContainerConfig): Promise<ContainerStatus>;
	/**
	 * Starts it; resolves once the process runs. Rejects with {@link ContainerStartError}, or, within about a
	 * second, with {@link RuntimeBusy} if the machine has too little of something for it at the moment.
	 */
	startContainer(id: string): Promise<ContainerStatus>;
	/**
	 * Asks the main process to end (SIGTERM) and kills the container after `graceSeconds`. Resolves when it was asked.
	 * Repeated with less grace, it kills earlier; never later.
	 */
	stopContainer(id: string, graceSeconds: number): Promise<void>;
	/** Forgets a container, killing it first if it runs; its log file stays with whoever named the path. */
	removeContainer(id: string): Promise<void>;
	listContainers(): Promise<readonly ContainerStatus[]>;
}

/**
 * What the image is for: a runtime of host processes needs no image where the container says itself
 * what to run. A {@link ContainerConfig} is one, and so is a container of a Pod's spec.
 */
export interface ImageUse {
	readonly command?: readonly string[];
}

/** An image that was pulled. */
export interface PulledImage {
	readonly imageRef: string;
	/** How much it takes of the disk; 0 where there is no image. */
	readonly sizeBytes: number;
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

/** The runtime cannot be reached now. The call may or may not have had its effect: repeat it later. */
export class RuntimeUnavailable extends Error {
	override readonly name: string = 'RuntimeUnavailable';
}

/**
 * The machine has too little of something to start the container now: open files, processes, memory, disk.
 * The container is as it was before the call: repeat it later. No failure of the container.
 */
export class RuntimeBusy extends RuntimeUnavailable {
	override readonly name = 'RuntimeBusy';
}
