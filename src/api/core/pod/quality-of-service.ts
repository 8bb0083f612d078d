import { compareQuantities } from '../../meta/quantity.ts';
import type { Pod, PodStatus, ResourceRequirements } from './schema.ts';

const COUNTED = ['cpu', 'memory'];

/**
 * The QoS class by upstream's rule: Guaranteed when every container limits cpu and memory and requests
 * as much, BestEffort when none says anything of either, else Burstable. What the Pod says as a whole
 * takes the place of what its containers say.
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

function positive(quantity: string | undefined): string | undefined {
	return quantity !== undefined && compareQuantities(quantity, '0') > 0 ? quantity : undefined;
}
