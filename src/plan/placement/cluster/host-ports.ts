import type { Pod } from '../../../api/core/pod/schema.ts';

/** A port on the node that a Pod requests. */
export interface HostPort {
	/** The IP address on the node; `0.0.0.0` for all addresses. */
	readonly ip: string;
	readonly protocol: string;
	readonly port: number;
}

const EVERY_ADDRESS = '0.0.0.0';
const NONE: readonly HostPort[] = [];

/** The host ports of a Pod's containers and sidecars (upstream: schedutil.GetHostPorts). */
export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
	const sidecars = spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
	let ports: HostPort[] | undefined;
	for (const container of [...spec.containers, ...sidecars]) {
		for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
			if (!hostPort) continue;
			ports ??= [];
			ports.push({ ip: hostIP || EVERY_ADDRESS, protocol: protocol || 'TCP', port: hostPort });
		}
	}
	return ports ?? NONE;
}

/**
 * The host ports in use on a node (upstream: HostPortInfo). Pods that were bound without a scheduler may use
 * the same port, so the number of users of each port is counted.
 */
export class UsedPorts {
	/** The number of Pods that use each port, by protocol and port and then by address. */
	readonly #holders: Map<string, Map<string, number>>;

	/** Creates an empty set, or a copy of `from`. */
	constructor(from?: UsedPorts) {
		this.#holders = new Map(from && Array.from(from.#holders, ([key, ips]) => [key, new Map(ips)]));
	}

	/** Adds (`by` 1) or removes (`by` -1) a user of `port`. */
	hold(port: HostPort, by: 1 | -1): void {
		const key = keyOf(port);
		const ips = this.#holders.get(key) ?? new Map<string, number>();
		const count = (ips.get(port.ip) ?? 0) + by;
		if (count > 0) ips.set(port.ip, count);
		else ips.delete(port.ip);
		if (ips.size > 0) this.#holders.set(key, ips);
		else this.#holders.delete(key);
	}

	/** Whether a Pod uses `port` already, on the same address or on all addresses. */
	conflictsWith(port: HostPort): boolean {
		const ips = this.#holders.get(keyOf(port));
		if (!ips) return false;
		return port.ip === EVERY_ADDRESS || ips.has(port.ip) || ips.has(EVERY_ADDRESS);
	}
}

function keyOf({ protocol, port }: HostPort): string {
	return `${protocol}/${port}`;
}
