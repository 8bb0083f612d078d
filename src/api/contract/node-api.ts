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
