import type { EndpointSubset } from '../../../api/core/endpoints/schema.ts';

/** The annotation of Endpoints that do not have all addresses of the Service; its EndpointSlices have them. */
export const OVER_CAPACITY_ANNOTATION = 'endpoints.kubernetes.io/over-capacity';

const MAX_ADDRESSES = 1000;

/**
 * The subsets with at most 1000 addresses in total, ready ones first, each subset in proportion to its size (upstream:
 * `truncateEndpoints`); the same list if it has no more.
 */
export function withinCapacity(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
	const ready = countOf(subsets, 'addresses');
	const notReady = countOf(subsets, 'notReadyAddresses');
	if (ready + notReady <= MAX_ADDRESSES) return subsets;
	const cutsReady = ready > MAX_ADDRESSES;
	const list = cutsReady ? 'addresses' : 'notReadyAddresses';
	const room = cutsReady ? MAX_ADDRESSES : MAX_ADDRESSES - ready;
	const total = cutsReady ? ready : notReady;
	let left = room;
	return subsets.flatMap((subset) => {
		const own = subset[list] ?? [];
		const kept = own.slice(0, Math.min(left, Math.ceil((own.length / total) * room)));
		left -= kept.length;
		const { addresses = [], notReadyAddresses: _, ports } = subset;
		const next = cutsReady ? { addresses: kept } : { addresses, notReadyAddresses: kept };
		return isEmpty(next) ? [] : [{ ...withoutEmpty(next), ...(ports && { ports }) }];
	});
}

function countOf(subsets: readonly EndpointSubset[], list: 'addresses' | 'notReadyAddresses'): number {
	return subsets.reduce((count, subset) => count + (subset[list]?.length ?? 0), 0);
}

type Addresses = Pick<EndpointSubset, 'addresses' | 'notReadyAddresses'>;

/** A subset that has lost all of its addresses would be refused, so it is left out. */
function isEmpty({ addresses = [], notReadyAddresses = [] }: Addresses): boolean {
	return addresses.length === 0 && notReadyAddresses.length === 0;
}

function withoutEmpty({ addresses = [], notReadyAddresses = [] }: Addresses): Addresses {
	return {
		...(addresses.length > 0 && { addresses }),
		...(notReadyAddresses.length > 0 && { notReadyAddresses }),
	};
}
