import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import type { ReplicaOwner } from './replica-owner.ts';

/** A Pod of the owner's template; undefined if there is none (upstream: GetPodFromTemplate). */
export function replicaPod({ object, template }: ReplicaOwner): Pod | undefined {
	if (!template) return undefined;
	const { namespace, name = '' } = object.metadata;
	const { labels, annotations, finalizers } = template.metadata ?? {};
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: {
			generateName: `${name}-`,
			...(namespace && { namespace }),
			...(labels && { labels }),
			...(annotations && { annotations }),
			...(finalizers && { finalizers }),
			ownerReferences: [controllerReferenceTo(object)],
		},
		spec: template.spec,
		status: {},
	};
}
