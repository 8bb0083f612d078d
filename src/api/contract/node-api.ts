import type { PodAttachOptions, PodExecOptions } from '../core/pod/exec.ts';
import type { Duplex } from './duplex.ts';
import type { NodeUse } from './usage.ts';

/**
 * The requests that the API server sends to a node for the Pods that run there (upstream: the kubelet's API).
 * In one process the server calls the node agent directly; a remote node will be called over a connection.
 * Calls reject with an ApiError, whose message the client receives.
 */
export interface NodeApi {
	/**
	 * The log of a container as clients read it: lines, with timestamps if requested. Ends when `signal`
	 * aborts.
	 */
	containerLog(request: ContainerLogRequest): Promise<AsyncIterable<Uint8Array>>;
	/**
	 * Runs a command in a container; resolves once it runs. The session has the channels `stdin` and `resize` from the
	 * caller, `stdout` and `stderr` to it, and ends with the Status of the command on the channel `error`. The caller
	 * owns the session: a close before its end kills the command.
	 */
	exec(request: ContainerExecRequest): Promise<Duplex>;
	/** What the node and its running containers use. The first call after a minute takes half a second. */
	usage(): Promise<NodeUse>;
	/**
	 * Attaches to the main process of a container. The session has the channels of {@link exec}; its Status is a success
	 * whatever the exit code of the container. A close before its end leaves the container running.
	 */
	attach(request: ContainerAttachRequest): Promise<Duplex>;
	/** Connects to a port of a Pod. Both directions are channel 0 of the session, and an end of it is a half close. */
	portForward(request: PodPortRequest): Promise<Duplex>;
}

/** The container to attach to. The options have been validated, and `container` is set. */
export interface ContainerAttachRequest extends PodAttachOptions {
	readonly namespace: string;
	readonly pod: string;
}

/** The port to connect to, from 1 to 65535. */
export interface PodPortRequest {
	readonly namespace: string;
	readonly pod: string;
	readonly port: number;
}

/** The container and the command to run in it. The options have been validated, and `container` is set. */
export interface ContainerExecRequest extends PodExecOptions {
	readonly namespace: string;
	readonly pod: string;
}

/** The container and the part of its log to read. The fields are those of v1.PodLogOptions. */
export interface ContainerLogRequest {
	readonly namespace: string;
	readonly pod: string;
	readonly container: string;
	readonly follow: boolean;
	readonly previous: boolean;
	readonly timestamps: boolean;
	readonly sinceSeconds?: number;
	/** RFC 3339 text. */
	readonly sinceTime?: string;
	readonly tailLines?: number;
	readonly limitBytes?: number;
	readonly signal: AbortSignal;
}
