import type { ServiceSpec } from '../../../api/core/service/schema.ts';
import { hasNodePorts, needsHealthCheck } from '../../../api/core/service/service-type.ts';
import type { Held } from './pool.ts';
import { addressNumber } from './ranges.ts';

/**
 * The IPv4 addresses and node ports that a stored Service has. A node port of a type without node ports, which nothing
 * forbids for ExternalName, was not allocated.
 */
export function heldBy(spec: ServiceSpec): Held {
	const { clusterIPs = [], ports = [], healthCheckNodePort } = spec;
	const nodePorts = hasNodePorts(spec) ? ports.flatMap(({ nodePort }) => nodePort || []) : [];
	const checkPorts = needsHealthCheck(spec) && healthCheckNodePort ? [healthCheckNodePort] : [];
	return {
		addresses: new Set(clusterIPs.flatMap((address) => addressNumber(address) ?? [])),
		ports: new Set([...nodePorts, ...checkPorts]),
	};
}
