/**
 * The Endpoints of a Service with a selector (upstream: pkg/controller/endpoint/endpoints_controller.go). Reading order:
 * this file, members.ts (which Pods, which ports), repack.ts, capacity.ts. The slices of the same Service are planned in
 * plan/services/slices.
 *
 * 1. Endpoints of a Service without selector, or of an ExternalName, are never touched: a user writes them.
 * 2. Nothing is written if nothing would change.
 */

import type { EndpointAddress, EndpointSubset, Endpoints } from '../../../api/core/endpoints/schema.ts';
import { ENDPOINTS_CONTROLLER, ENDPOINTS_MANAGER_LABEL } from '../../../api/core/endpoints/validation.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import { OVER_CAPACITY_ANNOTATION, withinCapacity } from './capacity.ts';
import {
	addressesOf,
	canBeEndpoint,
	HEADLESS_LABEL,
	hasOwnAddress,
	hasSelectedEndpoints,
	hostnameIn,
	isReadyPod,
	referenceTo,
	type TargetPort,
	TRIGGER_TIME_ANNOTATION,
	targetPortsOf,
} from './members.ts';
import { repackSubsets } from './repack.ts';

/** What the endpoints controller sees of a Service. */
export interface EndpointsSnapshot {
	readonly service: Service;
	/** The Pods that the Service selects. */
	readonly pods: readonly Pod[];
	readonly endpoints: Endpoints | undefined;
	/** The time of the change that caused the pass, as text; undefined if it is not known. */
	readonly triggerTime?: string;
}

/** What the controller does. */
export type EndpointsPlan =
	| { readonly kind: 'keep'; readonly because: string }
	| { readonly kind: 'create' | 'update'; readonly object: Endpoints };

/** Plans the Endpoints of a Service. */
export function planEndpoints(snapshot: EndpointsSnapshot): EndpointsPlan {
	const { service, pods, endpoints, triggerTime } = snapshot;
	if (!hasSelectedEndpoints(service)) return { kind: 'keep', because: 'others write these endpoints' };
	const subsets = repackSubsets(subsetsOf(service, pods));
	if (endpoints && isUpToDate(endpoints, subsets, service)) {
		return { kind: 'keep', because: 'the endpoints are those of the Pods' };
	}
	const { metadata } = service;
	const annotations = { ...endpoints?.metadata.annotations };
	delete annotations[TRIGGER_TIME_ANNOTATION];
	delete annotations[OVER_CAPACITY_ANNOTATION];
	const stored = withinCapacity(subsets);
	const object: Endpoints = {
		apiVersion: 'v1',
		kind: 'Endpoints',
		metadata: {
			...(endpoints?.metadata ?? { name: metadata.name ?? '', namespace: metadata.namespace ?? '' }),
			labels: labelsFor(service),
			annotations: {
				...annotations,
				...(triggerTime !== undefined && { [TRIGGER_TIME_ANNOTATION]: triggerTime }),
				...(stored !== subsets && { [OVER_CAPACITY_ANNOTATION]: 'truncated' }),
			},
		},
		...(stored.length > 0 && { subsets: stored }),
	};
	return { kind: endpoints ? 'update' : 'create', object };
}

/** A subset for the Pods with the same ports. */
function subsetsOf(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
	const portsOf = targetPortsOf(service);
	const isPortless = (service.spec.ports ?? []).length === 0;
	if (isPortless && hasOwnAddress(service)) return [];
	const members = pods.flatMap((pod) => {
		const address = addressOf(pod, service);
		const isReady = service.spec.publishNotReadyAddresses || isReadyPod(pod);
		return address ? [{ address, isReady, ports: portsOf(pod) }] : [];
	});
	const groups = Map.groupBy(members, ({ ports }) => ports);
	return [...groups].flatMap(([ports, group]) => {
		if (ports.length === 0 && !isPortless) return [];
		const listed = (ready: boolean): readonly EndpointAddress[] =>
			group.filter(({ isReady }) => isReady === ready).map(({ address }) => address);
		return [{ addresses: listed(true), notReadyAddresses: listed(false), ports: ports.map(portOf) }];
	});
}

/** The address of a member; undefined for other Pods. */
function addressOf(pod: Pod, service: Service): EndpointAddress | undefined {
	const { publishNotReadyAddresses = false, ipFamilies = [] } = service.spec;
	if (!canBeEndpoint(pod) || (pod.metadata.deletionTimestamp && !publishNotReadyAddresses)) return undefined;
	const [ip] = addressesOf(pod, ipFamilies[0] ?? 'IPv4');
	if (ip === undefined) return undefined;
	const hostname = hostnameIn(pod, service);
	return {
		ip,
		...(hostname !== undefined && { hostname }),
		nodeName: pod.spec.nodeName ?? '',
		targetRef: referenceTo(pod),
	};
}

function portOf({ port, number }: TargetPort): NonNullable<EndpointSubset['ports']>[number] {
	const { name, protocol = 'TCP', appProtocol } = port;
	return { ...(name && { name }), port: number, protocol, ...(appProtocol !== undefined && { appProtocol }) };
}

function isUpToDate(endpoints: Endpoints, subsets: readonly EndpointSubset[], service: Service): boolean {
	const { labels, annotations } = endpoints.metadata;
	const known = endpoints.subsets ?? [];
	return (
		// Endpoints that upstream's controller wrote have another order.
		(semanticEqual(known, subsets) || semanticEqual(repackSubsets(known), subsets)) &&
		semanticEqual(withoutHeadless(labels), withoutHeadless(labelsFor(service))) &&
		annotations?.[OVER_CAPACITY_ANNOTATION] === undefined &&
		withinCapacity(known) === known
	);
}

function labelsFor(service: Service): Readonly<Record<string, string>> {
	const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {};
	return {
		...labels,
		...(!hasOwnAddress(service) && { [HEADLESS_LABEL]: '' }),
		[ENDPOINTS_MANAGER_LABEL]: ENDPOINTS_CONTROLLER,
	};
}

/** A change of this label alone is no reason for a write, as upstream. */
function withoutHeadless(labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
	const { [HEADLESS_LABEL]: _, ...others } = labels;
	return others;
}
