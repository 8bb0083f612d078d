import { compareQuantities } from '../../meta/quantity.ts';
import type { Pod, PodStatus, ResourceRequirements } from './schema.ts';

/** The resources that upstream considers; others, such as ephemeral-storage, do not affect the class. */
const COUNTED = ['cpu', 'memory'];

/**
 * The quality of service class of a Pod (upstream: `ComputePodQOS`): Guaranteed if every container has limits
 * on cpu and memory and equal requests, BestEffort if none has a limit or request for either, otherwise
 * Burstable. If the Pod has resources as a whole, they are used in place of those of its containers.
 */
export function qosClassOf({ spec }: Pod): NonNullable<PodStatus['qosClass']> {
	const parts: readonly { readonly resources?: ResourceRequirements }[] = spec.resources
		? [spec]
		: [...spec.containers, ...(spec.initContainers ?? [])];
	let any = false;
	let guaranteed = true;
	for (const { resources = {} } of parts) {
		for (const resource of COUNTED) {
			const request = positive(resources.requests?.[resource]);
			const limit = positive(resources.limits?.[resource]);
			if (request !== undefined || limit !== undefined) any = true;
			if (limit === undefined || request === undefined || compareQuantities(request, limit) !== 0) {
				guaranteed = false;
			}
		}
	}
	if (!any) return 'BestEffort';
	return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** The quantity if it is above 0: upstream treats a request or limit of 0 as absent. */
function positive(quantity: string | undefined): string | undefined {
	return quantity !== undefined && compareQuantities(quantity, '0') > 0 ? quantity : undefined;
}
