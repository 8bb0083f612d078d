import type { ServicePort, ServiceSpec } from '../../../api/core/service/schema.ts';
import { needsClusterIp, needsHealthCheck } from '../../../api/core/service/service-type.ts';
import { withoutField } from '../../../api/schema/defaults.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';

/**
 * The spec with clusterIP and clusterIPs in agreement where the client set or changed only one of them (upstream:
 * `normalizeClusterIPs` in pkg/registry/core/service/storage). `old` is undefined for a new Service.
 */
export function withLinkedAddresses(spec: ServiceSpec, old: ServiceSpec | undefined): ServiceSpec {
	const { clusterIP = '', clusterIPs = [] } = spec;
	if (!old) return clusterIP !== '' && clusterIPs.length === 0 ? { ...spec, clusterIPs: [clusterIP] } : spec;
	const { clusterIP: oldIp = '', clusterIPs: oldIps = [] } = old;
	if (clusterIP === oldIp) {
		// A client that does not know the list has left it out.
		return oldIps.length > 0 && clusterIPs.length === 0 ? { ...spec, clusterIPs: oldIps } : spec;
	}
	if (!semanticEqual(clusterIPs, oldIps)) return spec;
	return clusterIP === '' ? withoutField(spec, 'clusterIPs') : { ...spec, clusterIPs: [clusterIP] };
}

/**
 * The spec with the values that were allocated for `old`, where the client left them out: so that it can send again what
 * it created the Service from (upstream: `patchAllocatedValues`).
 */
export function withAllocatedValues(given: ServiceSpec, old: ServiceSpec): ServiceSpec {
	let spec = given;
	if (needsClusterIp(old) && needsClusterIp(spec)) {
		const { clusterIP, clusterIPs } = old;
		if (!spec.clusterIP && clusterIP) spec = { ...spec, clusterIP };
		if (!spec.clusterIPs?.length && clusterIPs?.length) spec = { ...spec, clusterIPs };
	}
	if (allocatesNodePorts(old) && allocatesNodePorts(spec)) spec = withNodePorts(spec, old);
	const { healthCheckNodePort } = old;
	if (needsHealthCheck(old) && needsHealthCheck(spec) && !spec.healthCheckNodePort && healthCheckNodePort) {
		return { ...spec, healthCheckNodePort };
	}
	return spec;
}

/** Whether the server allocates node ports for the Service (upstream: `shouldAllocateNodePorts`). */
export function allocatesNodePorts({ type, allocateLoadBalancerNodePorts = true }: ServiceSpec): boolean {
	return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts);
}

/** Ports keep their node port by name, unless another port of the new spec has it. */
function withNodePorts(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
	const { ports = [] } = spec;
	if (ports.every(({ nodePort }) => nodePort)) return spec;
	const kept = new Set(ports.map(({ nodePort }) => nodePort));
	const known = new Map((old.ports ?? []).map(({ name = '', nodePort }) => [name, nodePort]));
	const next = ports.map((port): ServicePort => {
		const nodePort = known.get(port.name ?? '');
		return port.nodePort || !nodePort || kept.has(nodePort) ? port : { ...port, nodePort };
	});
	return { ...spec, ports: next };
}
