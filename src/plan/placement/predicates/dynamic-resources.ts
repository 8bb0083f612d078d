import type { Predicate } from './predicate.ts';

/**
 * The claims on devices that the Pod names must exist (upstream: dynamicresources). ResourceClaims are not
 * served, so none does: the Pod waits, instead of running without its devices.
 */
export const dynamicResources: Predicate = {
	name: 'DynamicResources',
	helpedBy: [],
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
