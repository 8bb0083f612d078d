import type { EndpointSlice, SliceEndpoint } from '../../../api/discovery/endpointslice/schema.ts';
import { type EndpointSet, isSameState } from './endpoint-set.ts';

/** The most endpoints that the controllers put into a slice (upstream: --max-endpoints-per-slice). */
export const MAX_ENDPOINTS_PER_SLICE = 100;

/** Changes of slices. */
export interface SliceChanges {
	/** New slices, without a name. */
	readonly create: readonly EndpointSlice[];
	/** Slices with their new contents. */
	readonly update: readonly EndpointSlice[];
	readonly remove: readonly EndpointSlice[];
}

/** The slices with common ports, and the endpoints that must be in them. */
export interface SliceGroup {
	readonly slices: readonly EndpointSlice[];
	readonly wanted: EndpointSet;
	/** Returns the slice with the labels of its Service: itself if it has them. */
	withLabels(slice: EndpointSlice): EndpointSlice;
	/** A slice without endpoints and without a name. */
	readonly empty: EndpointSlice;
}

/**
 * Places the wanted endpoints in slices with as few writes as possible, since each write is sent to every node (upstream:
 * `reconcileByPortMapping` in staging/src/k8s.io/endpointslice/reconciler.go):
 *
 * 1. Each slice keeps the endpoints that are still wanted. One that has none left is removed.
 * 2. Slices that change anyway are filled up, the fullest first.
 * 3. The rest goes into one other slice if it fits there, and else into new slices.
 */
export function fillSlices({ slices, wanted, withLabels, empty }: SliceGroup): SliceChanges {
	const unchanged = new Set<EndpointSlice>();
	const changed: EndpointSlice[] = [];
	const remove: EndpointSlice[] = [];
	for (const slice of slices) {
		const { endpoints, isChanged } = keptEndpoints(slice, wanted);
		const labelled = withLabels(slice);
		if (isChanged && endpoints.length === 0) remove.push(slice);
		else if (isChanged) changed.push({ ...labelled, endpoints });
		else if (labelled !== slice) changed.push(labelled);
		else unchanged.add(slice);
	}
	const update = changed
		.sort((a, b) => b.endpoints.length - a.endpoints.length)
		.map((slice) => filled(slice, wanted));
	const create: EndpointSlice[] = [];
	while (wanted.size > 0) {
		const target =
			wanted.size < MAX_ENDPOINTS_PER_SLICE ? fullestWithRoom(unchanged, wanted.size) : undefined;
		if (target) {
			unchanged.delete(target);
			update.push(filled(target, wanted));
		} else create.push(filled(empty, wanted));
	}
	return { create, update, remove };
}

function keptEndpoints(
	{ endpoints }: EndpointSlice,
	wanted: EndpointSet,
): { readonly endpoints: readonly SliceEndpoint[]; readonly isChanged: boolean } {
	let isChanged = false;
	const kept = endpoints.flatMap((endpoint) => {
		const next = wanted.take(endpoint);
		if (!next || !isSameState(next, endpoint)) isChanged = true;
		return next ?? [];
	});
	return { endpoints: kept, isChanged };
}

function filled(slice: EndpointSlice, wanted: EndpointSet): EndpointSlice {
	const more = wanted.takeFirst(MAX_ENDPOINTS_PER_SLICE - slice.endpoints.length);
	return more.length === 0 ? slice : { ...slice, endpoints: [...slice.endpoints, ...more] };
}

/** The slice that has the least room left when `count` endpoints are added; undefined if they fit into none. */
function fullestWithRoom(slices: Iterable<EndpointSlice>, count: number): EndpointSlice | undefined {
	let fullest: EndpointSlice | undefined;
	for (const slice of slices) {
		if (slice.endpoints.length + count > MAX_ENDPOINTS_PER_SLICE) continue;
		if (!fullest || slice.endpoints.length > fullest.endpoints.length) fullest = slice;
	}
	return fullest;
}

/** The new slice `next` as the next state of `slice`, whose name it gets. */
export function inPlaceOf(slice: EndpointSlice, next: EndpointSlice): EndpointSlice {
	const { generateName: _, ...metadata } = next.metadata;
	const { name = '', uid = '', resourceVersion = '' } = slice.metadata;
	return { ...next, metadata: { ...metadata, name, uid, resourceVersion } };
}
