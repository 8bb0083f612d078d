import type { Pod } from '../../api/core/pod/schema.ts';

/** A port of the node that a Pod wants to have. */
export interface HostPort {
	/** The address of the node it is wanted on; `0.0.0.0` for all of them. */
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
 * The host ports in use on a node (upstream: HostPortInfo). Pods that were bound without a scheduler may
 * hold the same port twice, so each is counted.
 */
export class UsedPorts {
	/** How many Pods hold each port, by protocol and port and then by address. */
	readonly #holders: Map<string, Map<string, number>>;

	/** Starts empty, or as a copy of `from`. */
	constructor(from?: UsedPorts) {
		this.#holders = new Map(from && Array.from(from.#holders, ([key, ips]) => [key, new Map(ips)]));
	}

	/** Counts `port` as held once more (`by` 1) or once less (`by` -1). */
	hold(port: HostPort, by: 1 | -1): void {
		const key = keyOf(port);
		const ips = this.#holders.get(key) ?? new Map<string, number>();
		const count = (ips.get(port.ip) ?? 0) + by;
		if (count > 0) ips.set(port.ip, count);
		else ips.delete(port.ip);
		if (ips.size > 0) this.#holders.set(key, ips);
		else this.#holders.delete(key);
	}

	/** Whether a Pod holds `port` already, on its address or on one that covers it. */
	conflictsWith(port: HostPort): boolean {
		const ips = this.#holders.get(keyOf(port));
		if (!ips) return false;
		return port.ip === EVERY_ADDRESS || ips.has(port.ip) || ips.has(EVERY_ADDRESS);
	}
}

function keyOf({ protocol, port }: HostPort): string {
	return `${protocol}/${port}`;
}
