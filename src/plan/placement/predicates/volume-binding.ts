import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Predicate } from './predicate.ts';

/**
 * The claims that the Pod's volumes name must exist (upstream: volumebinding). PersistentVolumeClaims are
 * not served, so none does: the Pod waits, as it would in a cluster where the claim was forgotten.
 */
export const volumeBinding: Predicate = {
	name: 'VolumeBinding',
	helpedBy: [],
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
