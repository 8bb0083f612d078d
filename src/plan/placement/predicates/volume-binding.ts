import { podVolumes, volumesOnNode } from '../pod-volumes.ts';
import type { Predicate } from './predicate.ts';

/**
 * The claims of the Pod's volumes exist and are bound to volumes that the node can access, or can be bound to
 * such volumes once the Pod is placed there (upstream: the plugin VolumeBinding).
 */
export const volumeBinding: Predicate = {
	name: 'VolumeBinding',
	retryOn: ['storage', 'node-labels'],
	prepare: (pod, { storage }) => {
		const volumes = podVolumes(pod, storage);
		if (volumes.kind === 'none') return undefined;
		if (volumes.kind === 'problem') return { kind: 'no node', reason: volumes.reason };
		return {
			kind: 'check',
			refusal: ({ node }) => {
				const { reasons } = volumesOnNode(volumes, node, storage);
				return reasons.length === 0 ? undefined : { reasons, dependsOnPods: false };
			},
		};
	},
};
