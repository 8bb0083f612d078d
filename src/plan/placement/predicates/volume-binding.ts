import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Predicate } from './predicate.ts';

/**
 * The PersistentVolumeClaims of the Pod's volumes must exist (upstream: volumebinding). That resource is not
 * served, so a Pod with a claim is unschedulable, as in a cluster in which the claim was not created.
 */
export const volumeBinding: Predicate = {
	name: 'VolumeBinding',
	retryOn: [],
	prepare: (pod) => {
		const reason = missingClaim(pod);
		return reason === undefined ? undefined : { kind: 'no node', reason };
	},
};

function missingClaim({ metadata, spec }: Pod): string | undefined {
	for (const { name, persistentVolumeClaim: claim, ephemeral } of spec.volumes ?? []) {
		if (claim) return `persistentvolumeclaim "${claim.claimName}" not found`;
		if (ephemeral) {
			const made = `${metadata.name}-${name}`;
			return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${made}"`;
		}
	}
	return undefined;
}
