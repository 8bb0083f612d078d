/**
 * What the server side and the launcher say to each other: one JSON value a line over a Unix socket in a
 * folder that only its user can enter.
 *
 * The launcher begins with a {@link Hello}. Then the client calls, with numbers of its own, and the
 * launcher answers each call once, in any order; in between it tells exits as they happen. An exit is
 * told after the answer to the start and before the answer to the call that caused it.
 */
import {
	type ContainerConfig,
	ContainerStartError,
	type ContainerStatus,
	RuntimeBusy,
	type Sandbox,
	type SandboxConfig,
} from '../runtime.ts';

/** Goes up whenever a launcher of before and a server of after could not understand each other. */
export const PROTOCOL = 1;

/** The socket, in the launcher's folder. */
export const SOCKET_NAME = 'launcher.sock';
/** What the launcher remembers, beside the socket; absent when there is nothing. */
export const JOURNAL_NAME = 'journal';
/** How a launcher ends that finds another one at work in its folder. */
export const EXIT_TAKEN = 75;
/**
 * Tells a launcher to end with its client, and which folder to remove if the client cannot do so any more.
 * Without it, a launcher and its containers outlive their clients.
 */
export const REMOVE_WITH_CLIENT = '--remove-with-client';
/** What a launcher writes to its standard output once it can be called. */
export const READY = 'ready\n';

/** The launcher's first line. */
export interface Hello {
	readonly hello: { readonly protocol: number; readonly pid: number };
}

/** A program of the host, with all that it is given. */
export interface HostProgram {
	/** At least one; a first one without a slash is looked for in the PATH of `env`. */
	readonly argv: readonly string[];
	/** The whole environment. */
	readonly env: Readonly<Record<string, string>>;
	/** Empty: the sandbox's own folder. */
	readonly workingDir: string;
}

/** A container as the launcher sees it: what its image stands for has been looked up. */
export interface HostContainerConfig extends Pick<ContainerConfig, 'name' | 'attempt' | 'image' | 'logPath'> {
	readonly imageRef: string;
	readonly program: HostProgram;
	readonly logMaxBytes: number;
	readonly logMaxFiles: number;
}

/** The calls; their meaning is that of the runtime contract. */
export interface LauncherCalls {
	runSandbox(config: SandboxConfig): Promise<Sandbox>;
	stopSandbox(id: string): Promise<void>;
	removeSandbox(id: string): Promise<void>;
	listSandboxes(): Promise<readonly Sandbox[]>;
	createContainer(sandboxId: string, config: HostContainerConfig): Promise<ContainerStatus>;
	startContainer(id: string): Promise<ContainerStatus>;
	stopContainer(id: string, graceSeconds: number): Promise<void>;
	removeContainer(id: string): Promise<void>;
	listContainers(): Promise<readonly ContainerStatus[]>;
	/** Kills and forgets everything; then the launcher ends, and closes the connection when it leaves its folder. */
	killAll(): Promise<void>;
}

/** A call, as the client writes it. */
export interface Call {
	readonly id: number;
	readonly method: keyof LauncherCalls;
	readonly args: readonly unknown[];
}

/** What the launcher writes after its hello. */
export type FromLauncher =
	| { readonly id: number; readonly result?: unknown }
	| { readonly id: number; readonly error: CallError }
	| { readonly exited: ContainerStatus };

/** An error that crosses the socket. */
export interface CallError {
	readonly message: string;
	/** That of a {@link ContainerStartError}, if it was one. */
	readonly reason?: ContainerStartError['reason'];
	/** True for a {@link RuntimeBusy}. */
	readonly isBusy?: boolean;
}

const METHODS: ReadonlySet<string> = new Set<keyof LauncherCalls>([
	'runSandbox',
	'stopSandbox',
	'removeSandbox',
	'listSandboxes',
	'createContainer',
	'startContainer',
	'stopContainer',
	'removeContainer',
	'listContainers',
	'killAll',
]);

/** Performs `call` on `target`; rejects for a method that is not one of the protocol. */
export async function perform(target: LauncherCalls, call: Call): Promise<unknown> {
	if (!METHODS.has(call.method)) throw new Error(`the launcher has no call ${call.method}`);
	// The client's types have made sure that the arguments are those of the method.
	const method = target[call.method] as (...args: readonly unknown[]) => Promise<unknown>;
	return await method.call(target, ...call.args);
}

/** `error` for the way over the socket. */
export function encodeError(error: unknown): CallError {
	if (error instanceof ContainerStartError) return { message: error.message, reason: error.reason };
	if (error instanceof RuntimeBusy) return { message: error.message, isBusy: true };
	return { message: error instanceof Error ? error.message : String(error) };
}

/** The error that {@link encodeError} made a {@link CallError} of. */
export function decodeError(error: CallError): Error {
	if (error.isBusy) return new RuntimeBusy(error.message);
	return error.reason ? new ContainerStartError(error.reason, error.message) : new Error(error.message);
}
