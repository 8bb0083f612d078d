import type { ServiceSpec } from './schema.ts';

/** The clusterIP of a headless Service. */
export const HEADLESS = 'None';

/** Whether the Service has no address of its own, so that its name leads to the endpoints themselves. */
export function isHeadless({ clusterIPs = [] }: ServiceSpec): boolean {
	return clusterIPs.length === 1 && clusterIPs[0] === HEADLESS;
}

/** Whether traffic from outside of the cluster can reach the Service (upstream: `ExternallyAccessible`). */
export function isExternallyAccessible(spec: ServiceSpec): boolean {
	const { type, externalIPs = [] } = spec;
	return hasNodePorts(spec) || (type === 'ClusterIP' && externalIPs.length > 0);
}

/** Whether load balancers ask Nodes for the health of the Service (upstream: `NeedsHealthCheck`). */
export function needsHealthCheck({ type, externalTrafficPolicy }: ServiceSpec): boolean {
	return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

/** Whether the type has addresses inside of the cluster, `None` included (upstream: `needsClusterIP`). */
export function needsClusterIp({ type }: ServiceSpec): boolean {
	return type !== 'ExternalName';
}

/** Whether the type has ports at every Node. */
export function hasNodePorts({ type }: ServiceSpec): boolean {
	return type === 'NodePort' || type === 'LoadBalancer';
}
