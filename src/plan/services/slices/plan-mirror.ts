/**
 * The EndpointSlices that mirror Endpoints which a user wrote for a Service without selector: clients read only slices
 * (upstream: pkg/controller/endpointslicemirroring). Endpoints with the label endpointslice.kubernetes.io/skip-mirror, or of
 * a leader election, are not mirrored.
 */

import type { EndpointAddress, EndpointSubset, Endpoints } from '../../../api/core/endpoints/schema.ts';
import type { EventText } from '../../../api/core/event/event-text.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import {
	MIRRORING_CONTROLLER,
	SERVICE_NAME_LABEL,
	SLICE_MANAGER_LABEL,
} from '../../../api/discovery/endpointslice/labels.ts';
import type {
	EndpointSlice,
	EndpointSlicePort,
	SliceEndpoint,
} from '../../../api/discovery/endpointslice/schema.ts';
import { controllerReferenceTo } from '../../../api/meta/controller-reference.ts';
import { parseIp } from '../../../api/network/ip-address.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import { isLeaderElection, TRIGGER_TIME_ANNOTATION } from '../endpoints/members.ts';
import { repackSubsets } from '../endpoints/repack.ts';
import { EndpointSet, isSameState, portsKey } from './endpoint-set.ts';
import { inPlaceOf, type SliceChanges } from './fill-slices.ts';
import { namePrefix } from './slice-labels.ts';

/** The label of Endpoints that are not mirrored. */
export const SKIP_MIRROR_LABEL = 'endpointslice.kubernetes.io/skip-mirror';

const APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_ADDRESSES_PER_SUBSET = 1000;

/** What the controller sees. */
export interface MirrorSnapshot {
	readonly endpoints: Endpoints | undefined;
	readonly service: Service | undefined;
	/** The slices of the Service that the controller manages. */
	readonly slices: readonly EndpointSlice[];
}

/** What the controller does; the events are about the Endpoints. */
export interface MirrorPlan extends SliceChanges {
	readonly events: readonly EventText[];
}

/** Plans the slices that mirror Endpoints. */
export function planMirror({ endpoints, service, slices }: MirrorSnapshot): MirrorPlan {
	if (!endpoints || !service || !isMirrored(endpoints) || service.spec.selector !== undefined) {
		return { create: [], update: [], remove: slices, events: [] };
	}
	const { wanted, skipped } = wantedSlices(endpoints);
	const existing = Map.groupBy(slices, keyOf);
	const create: EndpointSlice[] = [];
	const update: EndpointSlice[] = [];
	const remove = slices.filter((slice) => !wanted.has(keyOf(slice)));
	for (const [key, next] of wanted) {
		const [first, ...others] = existing.get(key) ?? [];
		remove.push(...others);
		if (!first) create.push(next);
		else if (!isMirrorOf(first, next)) update.push(inPlaceOf(first, next));
	}
	const recycled = recycle(create, remove);
	return {
		create: endpoints.metadata.deletionTimestamp ? [] : recycled.create,
		update: [...update, ...recycled.update],
		remove: recycled.remove,
		events: skipped === 0 ? [] : [tooManyEvent(skipped)],
	};
}

function isMirrored(endpoints: Endpoints): boolean {
	return endpoints.metadata.labels?.[SKIP_MIRROR_LABEL] !== 'true' && !isLeaderElection(endpoints);
}

function tooManyEvent(skipped: number): EventText {
	const message = `A max of ${MAX_ADDRESSES_PER_SUBSET} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`;
	return { type: 'Warning', reason: 'TooManyAddressesToMirror', message };
}

/** One slice for each subset and family that has addresses, without a name; by {@link keyOf}. */
function wantedSlices(endpoints: Endpoints): {
	readonly wanted: ReadonlyMap<string, EndpointSlice>;
	readonly skipped: number;
} {
	const wanted = new Map<string, EndpointSlice>();
	let skipped = 0;
	for (const subset of repackSubsets(endpoints.subsets ?? [])) {
		const all = endpointsOf(subset);
		skipped += Math.max(all.length - MAX_ADDRESSES_PER_SUBSET, 0);
		const byFamily = Map.groupBy(all.slice(0, MAX_ADDRESSES_PER_SUBSET), ({ addressType }) => addressType);
		for (const [addressType, list] of byFamily) {
			const slice = {
				...sliceOf(endpoints, subset),
				addressType,
				endpoints: list.map(({ endpoint }) => endpoint),
			};
			wanted.set(keyOf(slice), slice);
		}
	}
	return { wanted, skipped };
}

interface TypedEndpoint {
	readonly addressType: 'IPv4' | 'IPv6';
	readonly endpoint: SliceEndpoint;
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset): readonly TypedEndpoint[] {
	return [
		...addresses.flatMap((address) => endpointOf(address, true)),
		...notReadyAddresses.flatMap((address) => endpointOf(address, false)),
	];
}

/** Validation refuses Endpoints with malformed addresses. */
function endpointOf(
	{ ip, targetRef, nodeName, hostname }: EndpointAddress,
	ready: boolean,
): readonly TypedEndpoint[] {
	const address = parseIp(ip);
	if (!address) return [];
	const endpoint = {
		addresses: [address.text],
		conditions: { ready },
		...(hostname && { hostname }),
		...(targetRef && { targetRef }),
		...(nodeName !== undefined && { nodeName }),
	};
	return [{ addressType: address.family, endpoint }];
}

function sliceOf(endpoints: Endpoints, { ports = [] }: EndpointSubset): Omit<EndpointSlice, 'addressType'> {
	const { name = '', namespace = '', labels = {} } = endpoints.metadata;
	return {
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: {
			generateName: namePrefix(name),
			namespace,
			labels: { ...labels, [SERVICE_NAME_LABEL]: name, [SLICE_MANAGER_LABEL]: MIRRORING_CONTROLLER },
			annotations: mirroredAnnotations(endpoints),
			ownerReferences: [controllerReferenceTo(endpoints)],
		},
		endpoints: [],
		ports: ports.map(
			({ name: portName = '', port, protocol = 'TCP', appProtocol }): EndpointSlicePort => ({
				name: portName,
				port,
				protocol,
				...(appProtocol !== undefined && { appProtocol }),
			}),
		),
	};
}

function mirroredAnnotations({ metadata }: Endpoints): Readonly<Record<string, string>> {
	const {
		[TRIGGER_TIME_ANNOTATION]: _time,
		[APPLIED_ANNOTATION]: _applied,
		...others
	} = metadata.annotations ?? {};
	return others;
}

function keyOf({ addressType, ports }: EndpointSlice): string {
	return `${addressType}-${portsKey(ports)}`;
}

function isMirrorOf(slice: EndpointSlice, next: EndpointSlice): boolean {
	const wanted = new EndpointSet(next.endpoints);
	const isEach = slice.endpoints.every((endpoint) => {
		const found = wanted.take(endpoint);
		return found !== undefined && isSameState(found, endpoint);
	});
	return (
		isEach &&
		wanted.size === 0 &&
		semanticEqual(slice.metadata.labels, next.metadata.labels) &&
		semanticEqual(slice.metadata.annotations ?? {}, next.metadata.annotations) &&
		semanticEqual(slice.metadata.ownerReferences, next.metadata.ownerReferences)
	);
}

/** Gives new slices the place of removed ones of the same address type. */
function recycle(create: readonly EndpointSlice[], remove: readonly EndpointSlice[]): SliceChanges {
	const left = [...remove];
	const update: EndpointSlice[] = [];
	const rest = create.filter((next) => {
		const at = left.findIndex(({ addressType }) => addressType === next.addressType);
		const [slice] = at < 0 ? [] : left.splice(at, 1);
		if (slice) update.push(inPlaceOf(slice, next));
		return !slice;
	});
	return { create: rest, update, remove: left };
}
