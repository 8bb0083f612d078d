import { findCondition } from '../../../api/meta/conditions.ts';
import { SERVICE_CIDR_READY } from '../../../api/networking/servicecidr/definition.ts';
import type { ServiceCidr } from '../../../api/networking/servicecidr/schema.ts';
import { type AddressRange, addressRangeOf } from './ranges.ts';

/**
 * The range as this server can serve it; undefined if connections to its addresses would not arrive here. `own` is the
 * range of the server: its addresses lead to this machine, and if they are loopback addresses, all others of 127.0.0.0/8
 * do as well.
 */
export function servedRange(text: string, own: AddressRange): AddressRange | undefined {
	const range = addressRangeOf(text);
	if (!range) return undefined;
	const isPart = range.first >= own.first && range.first + range.size <= own.first + own.size;
	return isPart || (isLoopback(range) && isLoopback(own)) ? range : undefined;
}

/**
 * The ranges from which addresses of Services are allocated: those of the ServiceCIDRs that are ready, as far as this server
 * serves them, and its own (upstream: `syncAllocators` in pkg/registry/core/service/ipallocator/cidrallocator.go). Its own
 * range is first. It needs no ServiceCIDR, since at the start, or after the range has been changed, none may have it; but
 * if some have it, one of them must be in use.
 */
export function allocatableRanges(cidrs: readonly ServiceCidr[], own: AddressRange): readonly AddressRange[] {
	const ranges = new Map<string, AddressRange>();
	const holders = cidrs.filter(({ spec }) => spec.cidrs?.includes(own.text));
	if (holders.length === 0 || holders.some((cidr) => statusOf(cidr) !== 'False')) ranges.set(own.text, own);
	for (const cidr of cidrs) {
		if (statusOf(cidr) !== 'True') continue;
		for (const text of cidr.spec.cidrs ?? []) {
			const range = servedRange(text, own);
			if (range) ranges.set(range.text, range);
		}
	}
	return [...ranges.values()];
}

/** Whether the ServiceCIDR is ready; undefined if that is not known yet. */
function statusOf({ metadata, status }: ServiceCidr): string | undefined {
	if (metadata.deletionTimestamp !== undefined) return 'False';
	return findCondition(status.conditions, SERVICE_CIDR_READY)?.status;
}

function isLoopback({ text }: AddressRange): boolean {
	return text.startsWith('127.');
}
