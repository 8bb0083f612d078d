import type { Pod } from '../../../api/core/pod/schema.ts';
import { type Predicate, refusedForPods } from './predicate.ts';

const IN_USE =
	'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod';

/**
 * A claim with the access mode ReadWriteOncePod is used by one Pod at a time (upstream: the plugin
 * VolumeRestrictions, whose rules about disks of storage providers are left out: none can be mounted here).
 */
export const volumeRestrictions: Predicate = {
	name: 'VolumeRestrictions',
	retryOn: ['storage', 'pod-gone'],
	prepare: (pod, { storage, occupancy }) => {
		const { namespace = '' } = pod.metadata;
		const exclusive = new Set<string>();
		for (const name of claimNames(pod)) {
			const claim = storage.claim(namespace, name);
			if (!claim) return { kind: 'no node', reason: `persistentvolumeclaim "${name}" not found` };
			if (claim.spec.accessModes?.includes('ReadWriteOncePod')) exclusive.add(name);
		}
		if (exclusive.size === 0) return undefined;
		const uses = (other: Pod): number =>
			other.metadata.namespace === namespace
				? claimNames(other).filter((name) => exclusive.has(name)).length
				: 0;
		const signature = JSON.stringify(['claims', namespace, ...[...exclusive].sort()]);
		const found = occupancy.countByNode({ signature, matches: (other) => uses(other) > 0 });
		const count = [...found.values()].reduce((sum, each) => sum + each, 0);
		return checkOf(count, uses);
	},
};

function checkOf(
	initial: number,
	uses: (other: Pod) => number,
): ReturnType<Predicate['prepare']> & { kind: 'check' } {
	let count = initial;
	return {
		kind: 'check',
		refusal: () => (count > 0 ? refusedForPods(IN_USE) : undefined),
		move: (other, _node, by) => {
			if (uses(other) > 0) count += by;
		},
		fork: () => checkOf(count, uses),
	};
}

function claimNames({ spec }: Pod): readonly string[] {
	if (!spec.volumes) return NONE;
	return spec.volumes.flatMap(({ persistentVolumeClaim: claim }) => (claim ? [claim.claimName] : NONE));
}

const NONE: readonly string[] = [];
