import type { Predicate } from './predicate.ts';

/**
 * The Pod's ResourceClaims must exist (upstream: dynamicresources). That resource is not served, so a Pod with
 * a claim is unschedulable. The alternative, ignoring claims, would run it without its devices.
 */
export const dynamicResources: Predicate = {
	name: 'DynamicResources',
	retryOn: [],
	prepare: ({ metadata, spec }) => {
		const [claim] = spec.resourceClaims ?? [];
		if (!claim) return undefined;
		const { name, resourceClaimName } = claim;
		const reason = resourceClaimName
			? `resourceclaim "${resourceClaimName}" not found`
			: `waiting for dynamic resource controller to create the resourceclaim "${name}" of pod "${metadata.namespace}/${metadata.name}"`;
		return { kind: 'no node', reason };
	},
};
