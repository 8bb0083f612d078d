/**
 * Which ports a node forwards for Services, and where to: the rules of kube-proxy (pkg/proxy: `NewServicePortMap`,
 * `CategorizeEndpoints`) for a cluster of one node, on which the policies `Local` and `Cluster` mean the same endpoints.
 */
import type { Service, ServicePort } from '../../api/core/service/schema.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { type ProxiedPort, proxiedPortKey, type ServiceTarget } from './proxied-port.ts';
import { hasAddress, type ServiceWithSlices } from './service-endpoints.ts';

/** The label of a Service that another proxy than the node's own serves. */
const OTHER_PROXY = 'service.kubernetes.io/service-proxy-name';
/** Upstream's `DefaultClientIPServiceAffinitySeconds`. */
const DEFAULT_AFFINITY_SECONDS = 10_800;

/** The ports of all Services at their ClusterIPs, and their node ports at each of `nodeAddresses`. */
export function proxiedPortsOf(
	services: readonly ServiceWithSlices[],
	nodeAddresses: readonly string[],
): readonly ProxiedPort[] {
	const ports = services
		.filter(({ service }) => isProxied(service))
		.flatMap((each) => (each.service.spec.ports ?? []).flatMap((port) => portsOf(each, port, nodeAddresses)));
	return withoutLoops(ports);
}

/**
 * Leaves out endpoints that are such ports themselves: a connection to a Service that leads to itself, or to one that leads
 * back, would be forwarded until all descriptors are used. Upstream's rules in the kernel forward each packet only once.
 */
function withoutLoops(ports: readonly ProxiedPort[]): readonly ProxiedPort[] {
	const keys = new Set(ports.map(proxiedPortKey));
	return ports.map((port) => {
		const targets = port.targets.filter(
			(target) => !keys.has(proxiedPortKey({ ...target, protocol: port.protocol })),
		);
		return targets.length === port.targets.length ? port : { ...port, targets };
	});
}

function isProxied(service: Service): boolean {
	return hasAddress(service) && service.metadata.labels?.[OTHER_PROXY] === undefined;
}

function portsOf(
	{ service: { metadata, spec }, slices }: ServiceWithSlices,
	port: ServicePort,
	nodeAddresses: readonly string[],
): readonly ProxiedPort[] {
	const { protocol = 'TCP' } = port;
	// The kernel's module for SCTP is missing on most machines, and Node has no sockets for it.
	if (protocol === 'SCTP') return [];
	const affinity =
		spec.sessionAffinity === 'ClientIP'
			? { affinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS }
			: {};
	const service = `${metadata.namespace}/${metadata.name}`;
	const common = { service, protocol, targets: targetsOf(port, slices), ...affinity };
	const own = { address: spec.clusterIP ?? '', port: port.port, ...common };
	const { nodePort } = port;
	if (!nodePort) return [own];
	return [own, ...nodeAddresses.map((address) => ({ address, port: nodePort, ...common }))];
}

/**
 * The endpoints of a port that are ready; if none is, those that still serve although they are being terminated, so that
 * the last Pod of a Service ends without losing a connection (upstream: KEP-1669).
 */
function targetsOf(
	{ name = '', protocol = 'TCP' }: ServicePort,
	slices: readonly EndpointSlice[],
): readonly ServiceTarget[] {
	const ready: ServiceTarget[] = [];
	const ending: ServiceTarget[] = [];
	for (const { addressType, ports, endpoints } of slices) {
		if (addressType !== 'IPv4') continue;
		const number = ports?.find(
			(each) => (each.name ?? '') === name && (each.protocol ?? 'TCP') === protocol,
		)?.port;
		if (number === undefined) continue;
		for (const { addresses, conditions } of endpoints ?? []) {
			const [address] = addresses;
			if (address === undefined) continue;
			if (conditions?.ready !== false) ready.push({ address, port: number });
			else if (conditions.serving !== false && conditions.terminating) ending.push({ address, port: number });
		}
	}
	return unique(ready.length > 0 ? ready : ending);
}

/** An endpoint may be in two slices while it moves from one to the other. */
function unique(targets: readonly ServiceTarget[]): readonly ServiceTarget[] {
	return [...new Map(targets.map((target) => [`${target.address}:${target.port}`, target])).values()];
}
