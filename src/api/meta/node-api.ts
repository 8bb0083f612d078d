/**
 * What the API server asks of a node for the Pods that run there (upstream: the kubelet's own API).
 * In one process the node agent is called directly; a remote node will be reached over a connection.
 * Calls reject with an ApiError, whose text reaches the user.
 */
export interface NodeApi {
	/** The log of a container as clients see it (lines, with timestamps where asked for). */
	containerLog(request: ContainerLogRequest): Promise<AsyncIterable<Uint8Array>>;
}

/** Which log, and which part of it; the fields are those of v1.PodLogOptions. */
export interface ContainerLogRequest {
	readonly namespace: string;
	readonly pod: string;
	readonly container: string;
	readonly follow: boolean;
	readonly previous: boolean;
	readonly timestamps: boolean;
	readonly sinceSeconds?: number;
	/** RFC 3339. */
	readonly sinceTime?: string;
	readonly tailLines?: number;
	readonly limitBytes?: number;
	readonly signal: AbortSignal;
}
