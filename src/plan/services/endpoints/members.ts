import type { Endpoints } from '../../../api/core/endpoints/schema.ts';
import { hasEnded } from '../../../api/core/pod/phase.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Service, ServicePort } from '../../../api/core/service/schema.ts';
import { HEADLESS } from '../../../api/core/service/service-type.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { parseIp } from '../../../api/network/ip-address.ts';

/** The label of Endpoints and EndpointSlices whose Service has no address of its own. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** The annotation with the time of the change that endpoints were last written for. */
export const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';

/**
 * Whether the controllers maintain the endpoints of the Service: those of an ExternalName and of a Service without
 * selector are written by others.
 */
export function hasSelectedEndpoints({ spec }: Service): boolean {
	return spec.type !== 'ExternalName' && spec.selector !== undefined;
}

/** Whether the Endpoints serve for a leader election: then they belong to no Service, even to one of their name. */
export function isLeaderElection({ metadata }: Pick<Endpoints, 'metadata'>): boolean {
	return metadata.annotations?.['control-plane.alpha.kubernetes.io/leader'] !== undefined;
}

/** Whether the Service selects the Pod, whatever the state of the Pod. An empty selector selects every Pod. */
export function isSelected({ metadata }: Pick<Pod, 'metadata'>, service: Service): boolean {
	const { labels = {}, namespace } = metadata;
	if (namespace !== service.metadata.namespace || !hasSelectedEndpoints(service)) return false;
	return Object.entries(service.spec.selector ?? {}).every(
		([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
	);
}

/** Whether the Pod has an address that traffic can be sent to (upstream: `ShouldPodBeInEndpoints`). */
export function canBeEndpoint(pod: Pod): boolean {
	return !hasEnded(pod) && (pod.status.podIPs ?? []).length > 0;
}

/** Whether the Pod reports that it is ready. */
export function isReadyPod({ status }: Pod): boolean {
	return isConditionTrue(status.conditions, 'Ready');
}

/** The addresses of the Pod that are of a family, in canonical form. */
export function addressesOf({ status }: Pod, family: 'IPv4' | 'IPv6'): readonly string[] {
	return (status.podIPs ?? []).flatMap(({ ip }) => {
		const address = parseIp(ip);
		return address?.family === family ? [address.text] : [];
	});
}

/** The host name of the Pod in the domain of the Service; undefined if its subdomain is another. */
export function hostnameIn({ spec }: Pod, service: Service): string | undefined {
	return spec.hostname && spec.subdomain === service.metadata.name ? spec.hostname : undefined;
}

/** The reference from an endpoint to its Pod. */
export function referenceTo({ metadata: { namespace = '', name = '', uid = '' } }: Pod): {
	readonly kind: 'Pod';
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
} {
	return { kind: 'Pod', namespace, name, uid };
}

/** A port of a Service, and the port of Pods that it leads to. */
export interface TargetPort {
	readonly port: ServicePort;
	readonly number: number;
}

/**
 * Returns a function that finds the target ports of a Pod: by number, or by the name of a port of one of its containers; a
 * port that no container has is left out (upstream: `FindPort`). Pods with equal target ports, as all of one template, get
 * the same array: a Service may have thousands of ports, so callers must do work for each of them once, and not once for
 * each Pod.
 */
export function targetPortsOf({ spec: { ports = [] } }: Service): (pod: Pod) => readonly TargetPort[] {
	const names = ports.flatMap((port) =>
		typeof port.targetPort === 'string' ? nameKey(port.targetPort, port) : [],
	);
	const known = new Map<string, readonly TargetPort[]>();
	return (pod) => {
		const named = names.length === 0 ? NO_PORTS : namedPorts(pod);
		const signature = names.map((name) => named.get(name) ?? '').join();
		const found = known.get(signature) ?? ports.flatMap((port) => targetOf(port, named));
		known.set(signature, found);
		return found;
	};
}

const NO_PORTS: ReadonlyMap<string, number> = new Map();

function targetOf(port: ServicePort, named: ReadonlyMap<string, number>): readonly TargetPort[] {
	const { targetPort = port.port } = port;
	const number = typeof targetPort === 'number' ? targetPort : named.get(nameKey(targetPort, port));
	return number === undefined ? [] : [{ port, number }];
}

/** The named ports of a Pod's containers and sidecars; of equal names the first counts. */
function namedPorts({ spec }: Pod): ReadonlyMap<string, number> {
	const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
	const named = new Map<string, number>();
	for (const { ports = [] } of [...spec.containers, ...sidecars]) {
		for (const { name = '', containerPort, protocol } of ports) {
			const key = nameKey(name, { ...(protocol && { protocol }) });
			if (name !== '' && !named.has(key)) named.set(key, containerPort);
		}
	}
	return named;
}

function nameKey(name: string, { protocol = 'TCP' }: { readonly protocol?: string }): string {
	return `${protocol}/${name}`;
}

/** Whether the Service has an address of its own (upstream: `IsServiceIPSet`). */
export function hasOwnAddress({ spec: { clusterIP = '' } }: Service): boolean {
	return clusterIP !== '' && clusterIP !== HEADLESS;
}
