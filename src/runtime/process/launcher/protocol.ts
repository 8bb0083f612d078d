/**
 * The protocol between the server and the launcher: one JSON value per line over a Unix socket, in a folder that only
 * its user can enter.
 *
 * 1. The launcher starts with a {@link Hello}.
 * 2. The client sends calls, with ids that it chooses. The launcher sends one result or error for each, in any order.
 * 3. The launcher sends exits as they happen: after the result of the start of that container, and before the result
 *    of the call that caused the exit.
 */

import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import type { SandboxConfig, SandboxMetadata } from '../../../api/contract/sandbox-config.ts';
import type { ContainerUsage } from '../../../api/contract/usage.ts';
import { ContainerStartError, RuntimeBusy, type RuntimeContainer, type Sandbox } from '../../contract.ts';
import type { CgroupLimits } from '../cgroups/cgroup-limits.ts';
import type { NodeNetwork, OpenedNetwork } from '../network/pod-bridge.ts';
import type { PodNetwork } from '../network/pod-network.ts';
import type { ContainerBox } from '../shim/shim-request.ts';

/** Version of the protocol, incremented with each incompatible change: a launcher may be older than the server. */
export const PROTOCOL = 4;

/** Exit code of a launcher whose folder another launcher has locked. */
export const EXIT_TAKEN = 75;
/**
 * Option of the launcher: it exits with its client, and removes the folder given as the value unless the client sent
 * `killAll`. Without it, the launcher and its containers outlive their clients.
 */
export const REMOVE_WITH_CLIENT = '--remove-with-client';
/** Option of the launcher: it starts containers as its children although the shim could. */
export const WITHOUT_SHIM = '--without-shim';
/** The launcher's standard output once it accepts calls. */
export const READY = 'ready\n';

/** The launcher's first line. */
export interface Hello {
	readonly hello: { readonly protocol: number; readonly pid: number };
}

/** A program of the host, with its arguments, environment and working directory. */
export interface HostProgram {
	/** Program and arguments, at least one; a program without a slash is searched for in the PATH of `env`. */
	readonly argv: readonly string[];
	/** The complete environment: the program inherits no other variable. */
	readonly env: Readonly<Record<string, string>>;
	/** Empty: the sandbox's own folder. */
	readonly workingDir: string;
}

/** The configuration of a container after its image was resolved to a program. */
export interface HostContainerConfig extends Pick<ContainerConfig, 'name' | 'attempt' | 'image' | 'logPath'> {
	readonly imageRef: string;
	readonly program: HostProgram;
	/** The isolation; absent where the shim cannot run. */
	readonly box?: ContainerBox;
	/** The id of a running container of the sandbox whose namespaces it joins; only with a box. */
	readonly join?: string;
	readonly tty?: boolean;
	readonly stdin?: boolean;
	readonly stdinOnce?: boolean;
	/** The name of the signal that asks it to stop; default SIGTERM. */
	readonly stopSignal?: string;
	/** The limits of its control group; absent where it needs none, or the machine allows none. */
	readonly limits?: CgroupLimits;
	readonly logMaxBytes: number;
	readonly logMaxFiles: number;
}

/** What the launcher keeps of a sandbox's configuration: with what the boxes of its containers depend on. */
export interface HostSandboxConfig extends SandboxMetadata, Pick<SandboxConfig, 'namespaces' | 'sysctls'> {
	/** What all its containers together may use; absent as in {@link HostContainerConfig}. */
	readonly limits?: CgroupLimits;
	/** The range of addresses for a network of its own, such as `10.244.0.0/16`; absent: it has that of the launcher. */
	readonly podRange?: string;
	/** The ports that the server forwards to it. */
	readonly ports?: SandboxConfig['ports'];
}

/** A sandbox of the launcher. */
export interface HostSandbox extends Sandbox {
	readonly config: HostSandboxConfig;
	/** Its own network; absent: it has that of the launcher. */
	readonly network?: PodNetwork;
	/** Why it reaches no other machine, although it has a network of its own; absent: it does. */
	readonly confined?: string;
}

/** The calls of the protocol. They mean what the methods of these names in runtime/contract.ts mean. */
export interface LauncherCalls {
	/**
	 * Makes what all Pods with networks of their own share, and lets the addresses of Services lead to the server. Resolves to the
	 * network in which that is, unless it is the launcher's.
	 */
	openNetwork(network: OpenedNetwork): Promise<NodeNetwork | undefined>;
	runSandbox(config: HostSandboxConfig): Promise<HostSandbox>;
	stopSandbox(id: string): Promise<void>;
	removeSandbox(id: string): Promise<void>;
	listSandboxes(): Promise<readonly HostSandbox[]>;
	createContainer(sandboxId: string, config: HostContainerConfig): Promise<RuntimeContainer>;
	startContainer(id: string): Promise<RuntimeContainer>;
	stopContainer(id: string, graceSeconds: number): Promise<void>;
	removeContainer(id: string): Promise<void>;
	listContainers(): Promise<readonly RuntimeContainer[]>;
	updateContainerLimits(id: string, limits: CgroupLimits): Promise<void>;
	usage(): Promise<readonly ContainerUsage[]>;
	/** Kills and removes everything. The launcher then exits, and closes the connection once it has left the folder. */
	killAll(): Promise<void>;
}

/** A call as the client sends it. */
export interface LauncherCall {
	readonly id: number;
	readonly method: keyof LauncherCalls;
	readonly args: readonly unknown[];
}

/** A message of the launcher after its hello: the result or error of a call, or an exit. */
export type FromLauncher =
	| { readonly id: number; readonly result?: unknown }
	| { readonly id: number; readonly error: CallError }
	| { readonly exited: RuntimeContainer };

/** An error as it is sent over the socket. */
export interface CallError {
	readonly message: string;
	/** Set for a {@link ContainerStartError}. */
	readonly reason?: ContainerStartError['reason'];
	/** True for a {@link RuntimeBusy}. */
	readonly isBusy?: boolean;
}

const METHODS: ReadonlySet<string> = new Set<keyof LauncherCalls>([
	'openNetwork',
	'runSandbox',
	'stopSandbox',
	'removeSandbox',
	'listSandboxes',
	'createContainer',
	'startContainer',
	'stopContainer',
	'removeContainer',
	'listContainers',
	'updateContainerLimits',
	'usage',
	'killAll',
]);

/** Performs `call` on `target`. Rejects if the protocol has no such method, or with the method's error. */
export async function perform(target: LauncherCalls, call: LauncherCall): Promise<unknown> {
	if (!METHODS.has(call.method)) throw new Error(`the launcher has no method ${call.method}`);
	// The types of the client's `call` ensure that the arguments fit the method.
	const method = target[call.method] as (...args: readonly unknown[]) => Promise<unknown>;
	return await method.call(target, ...call.args);
}

/** Encodes an error for the socket; only the errors of the runtime contract keep their type. */
export function encodeError(error: unknown): CallError {
	if (error instanceof ContainerStartError) return { message: error.message, reason: error.reason };
	if (error instanceof RuntimeBusy) return { message: error.message, isBusy: true };
	return { message: error instanceof Error ? error.message : String(error) };
}

/** Restores the error that {@link encodeError} encoded. */
export function decodeError(error: CallError): Error {
	if (error.isBusy) return new RuntimeBusy(error.message);
	return error.reason ? new ContainerStartError(error.reason, error.message) : new Error(error.message);
}
