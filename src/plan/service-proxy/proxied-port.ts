/** Where a proxied port leads. */
export interface ServiceTarget {
	readonly address: string;
	readonly port: number;
}

/** One port of one address of a Service, and the endpoints among which its connections are distributed. */
export interface ProxiedPort {
	/** The Service as `namespace/name`, for messages. */
	readonly service: string;
	/** The address to listen on: the ClusterIP of the Service, or a loopback address for a node port. */
	readonly address: string;
	readonly port: number;
	readonly protocol: 'TCP' | 'UDP';
	/** Without targets nothing listens, so that a connection is refused, as by kube-proxy. */
	readonly targets: readonly ServiceTarget[];
	/** How long connections from one address go to one target after its last one; absent: no affinity. */
	readonly affinitySeconds?: number;
}

/** Identifies the listener of a port: `TCP 10.96.0.1:443`. */
export function proxiedPortKey({
	protocol,
	address,
	port,
}: Pick<ProxiedPort, 'protocol' | 'address' | 'port'>): string {
	return `${protocol} ${address}:${port}`;
}
