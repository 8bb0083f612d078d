/**
 * The EndpointSlices of a Service with a selector (upstream: pkg/controller/endpointslice and
 * staging/src/k8s.io/endpointslice). Reading order: this file, fill-slices.ts, endpoint-set.ts, slice-labels.ts, hints.ts;
 * which Pods and which ports is in plan/services/endpoints/members.ts.
 *
 * 1. Only slices that have the label of the controller and belong to this Service, by its uid, are changed.
 * 2. Every member of the Service is in exactly one slice of each of its families, and no other Pod is in any.
 * 3. There is always a slice, if need be one without endpoints, so that clients know that the Service was seen.
 */

import type { Node } from '../../../api/core/node/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import type {
	EndpointSlice,
	EndpointSlicePort,
	SliceEndpoint,
} from '../../../api/discovery/endpointslice/schema.ts';
import { controllerReferenceTo } from '../../../api/meta/controller-reference.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import { compareText } from '../../../base/compare-text.ts';
import {
	addressesOf,
	canBeEndpoint,
	hasSelectedEndpoints,
	hostnameIn,
	isReadyPod,
	referenceTo,
	type TargetPort,
	TRIGGER_TIME_ANNOTATION,
	targetPortsOf,
} from '../endpoints/members.ts';
import { EndpointSet, portsKey } from './endpoint-set.ts';
import { fillSlices, inPlaceOf, type SliceChanges } from './fill-slices.ts';
import { withHints } from './hints.ts';
import { hasOtherLabels, namePrefix, sliceLabels } from './slice-labels.ts';

/** What the controller sees of a Service. */
export interface SlicesSnapshot {
	readonly service: Service;
	/** The Pods that the Service selects. */
	readonly pods: readonly Pod[];
	/** The slices of the Service that the controller manages. */
	readonly slices: readonly EndpointSlice[];
	/** The Node with this name; undefined if it does not exist. */
	nodeNamed(name: string): Node | undefined;
	/** The time of the change that caused the pass, as text; undefined if it is not known. */
	readonly triggerTime?: string;
}

/** What the controller does. */
export interface SlicesPlan extends SliceChanges {
	/** Why Pods were left out although they are members: then the pass must be repeated. */
	readonly problems: readonly string[];
}

const NOTHING: SlicesPlan = { create: [], update: [], remove: [], problems: [] };

type Family = 'IPv4' | 'IPv6';

/** Plans the slices of a Service. */
export function planSlices(snapshot: SlicesSnapshot): SlicesPlan {
	const { service } = snapshot;
	if (!hasSelectedEndpoints(service)) return NOTHING;
	const slices = snapshot.slices.filter(({ metadata }) => !metadata.deletionTimestamp);
	const families = service.spec.ipFamilies ?? ['IPv4'];
	const others = slices.filter(({ addressType }) => !families.some((family) => family === addressType));
	const plans = families.map((family) => {
		const own = slices.filter(({ addressType }) => addressType === family);
		return planFamily({ ...snapshot, slices: own }, family);
	});
	return {
		create: service.metadata.deletionTimestamp ? [] : plans.flatMap(({ create }) => create),
		update: plans.flatMap(({ update }) => update),
		remove: [...plans.flatMap(({ remove }) => remove), ...others],
		problems: plans.flatMap(({ problems }) => problems),
	};
}

function planFamily(snapshot: SlicesSnapshot, family: Family): SlicesPlan {
	const { service, slices } = snapshot;
	const { groups, problems } = wantedGroups(snapshot, family);
	const existing = Map.groupBy(
		slices.filter((slice) => isOwned(slice, service)),
		({ ports }) => portsKey(ports),
	);
	const withLabels = (slice: EndpointSlice): EndpointSlice =>
		hasOtherLabels(slice, service)
			? { ...slice, metadata: { ...slice.metadata, labels: sliceLabels(service) } }
			: slice;
	const changes = [...groups].map(([key, { ports, endpoints }]) =>
		fillSlices({
			slices: existing.get(key) ?? [],
			wanted: new EndpointSet(endpoints),
			withLabels,
			empty: emptySlice(service, { family, ports }),
		}),
	);
	const unwanted = [...existing].filter(([key]) => !groups.has(key)).flatMap(([, list]) => list);
	const foreign = slices.filter((slice) => !isOwned(slice, service));
	const plan = {
		create: changes.flatMap(({ create }) => create),
		update: changes.flatMap(({ update }) => update),
		remove: [...foreign, ...unwanted, ...changes.flatMap(({ remove }) => remove)],
	};
	const complete = withPlaceholder(plan, { snapshot, family });
	return { ...finished(complete, snapshot), problems };
}

interface WantedGroup {
	readonly ports: readonly EndpointSlicePort[];
	readonly endpoints: SliceEndpoint[];
}

/** The endpoints by their ports, which differ between Pods if target ports are given by name. */
function wantedGroups(
	{ service, pods, nodeNamed }: SlicesSnapshot,
	family: Family,
): { readonly groups: ReadonlyMap<string, WantedGroup>; readonly problems: readonly string[] } {
	const groups = new Map<string, WantedGroup>();
	const groupOf = groupFinder(service, groups);
	const problems: string[] = [];
	const sorted = pods.toSorted((a, b) => compareText(a.metadata.name ?? '', b.metadata.name ?? ''));
	for (const pod of sorted.filter(canBeEndpoint)) {
		const group = groupOf(pod);
		const { nodeName = '' } = pod.spec;
		const node = nodeNamed(nodeName);
		if (!node && !service.spec.publishNotReadyAddresses) {
			const { namespace, name } = service.metadata;
			problems.push(
				`skipping Pod ${pod.metadata.name} for Service ${namespace}/${name}: Node ${nodeName} Not Found`,
			);
			continue;
		}
		const endpoint = endpointOf(pod, node, { service, family });
		if (endpoint) group.endpoints.push(endpoint);
	}
	return { groups, problems };
}

function endpointOf(
	pod: Pod,
	node: Node | undefined,
	{ service, family }: { readonly service: Service; readonly family: Family },
): SliceEndpoint | undefined {
	const addresses = addressesOf(pod, family);
	if (addresses.length === 0) return undefined;
	const { nodeName } = pod.spec;
	const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'];
	const hostname = hostnameIn(pod, service);
	const serving = isReadyPod(pod);
	const terminating = pod.metadata.deletionTimestamp !== undefined;
	const ready = (service.spec.publishNotReadyAddresses ?? false) || (serving && !terminating);
	return {
		addresses,
		conditions: { ready, serving, terminating },
		...(hostname !== undefined && { hostname }),
		targetRef: referenceTo(pod),
		...(nodeName && { nodeName }),
		...(zone && { zone }),
	};
}

/** Returns a function that finds the group of a Pod, and adds it to `groups`. */
function groupFinder(service: Service, groups: Map<string, WantedGroup>): (pod: Pod) => WantedGroup {
	const targetsOf = targetPortsOf(service);
	const known = new Map<readonly TargetPort[], WantedGroup>();
	return (pod) => {
		const targets = targetsOf(pod);
		const found = known.get(targets);
		if (found) return found;
		const ports = targets.map(portOf);
		const key = portsKey(ports);
		const group = groups.get(key) ?? { ports, endpoints: [] };
		groups.set(key, group);
		known.set(targets, group);
		return group;
	};
}

function portOf({
	port: { name = '', protocol = 'TCP', appProtocol },
	number,
}: TargetPort): EndpointSlicePort {
	return { name, protocol, port: number, ...(appProtocol !== undefined && { appProtocol }) };
}

/** Whether the slice belongs to this Service, and not to an earlier one of its name. */
function isOwned({ metadata }: EndpointSlice, service: Service): boolean {
	return (metadata.ownerReferences ?? []).some(
		({ uid, kind, apiVersion }) => uid === service.metadata.uid && kind === 'Service' && apiVersion === 'v1',
	);
}

function emptySlice(
	service: Service,
	{ family, ports }: { readonly family: Family; readonly ports: readonly EndpointSlicePort[] },
): EndpointSlice {
	return {
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: {
			generateName: namePrefix(service.metadata.name ?? ''),
			namespace: service.metadata.namespace ?? '',
			labels: sliceLabels(service),
			ownerReferences: [controllerReferenceTo(service)],
		},
		addressType: family,
		endpoints: [],
		ports,
	};
}

/** Adds a slice without endpoints and ports if there would be none; keeps the one that there is. */
function withPlaceholder(
	plan: SliceChanges,
	{ snapshot, family }: { readonly snapshot: SlicesSnapshot; readonly family: Family },
): SliceChanges {
	const { service, slices } = snapshot;
	if (slices.length !== plan.remove.length || plan.create.length > 0) return plan;
	const placeholder = emptySlice(service, { family, ports: [] });
	const [only] = plan.remove;
	if (only && plan.remove.length === 1 && isSamePlaceholder(only, placeholder))
		return { ...plan, remove: [] };
	return { ...plan, create: [placeholder] };
}

function isSamePlaceholder(slice: EndpointSlice, placeholder: EndpointSlice): boolean {
	return (
		slice.endpoints.length === 0 &&
		slice.ports.length === 0 &&
		semanticEqual(slice.metadata.labels, placeholder.metadata.labels) &&
		semanticEqual(slice.metadata.ownerReferences, placeholder.metadata.ownerReferences)
	);
}

/** Reuses slices that would be removed, and sets hints and the annotation with the time (upstream: `finalize`). */
function finished(plan: SliceChanges, { service, slices, triggerTime }: SlicesSnapshot): SliceChanges {
	const create = [...plan.create];
	const update = [...plan.update];
	const remove: EndpointSlice[] = [];
	for (const slice of plan.remove) {
		const next = isOwned(slice, service) ? create.pop() : undefined;
		if (next) update.push(inPlaceOf(slice, next));
		else remove.push(slice);
	}
	const touched = new Set([...update, ...remove].map(({ metadata }) => metadata.name));
	for (const slice of slices) {
		if (!touched.has(slice.metadata.name) && withHints(service, slice) !== slice) update.push(slice);
	}
	const finish = (slice: EndpointSlice): EndpointSlice => withTime(withHints(service, slice), triggerTime);
	return { create: create.map(finish), update: update.map(finish), remove };
}

function withTime(slice: EndpointSlice, triggerTime: string | undefined): EndpointSlice {
	const { [TRIGGER_TIME_ANNOTATION]: _, ...others } = slice.metadata.annotations ?? {};
	const annotations = {
		...others,
		...(triggerTime !== undefined && { [TRIGGER_TIME_ANNOTATION]: triggerTime }),
	};
	return { ...slice, metadata: { ...slice.metadata, annotations } };
}
