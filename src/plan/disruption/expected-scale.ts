import { deployments } from '../../api/apps/deployment/definition.ts';
import { replicaSets } from '../../api/apps/replicaset/definition.ts';
import { isOfKind, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import type { KubeObject, OwnerReference } from '../../api/meta/object-meta.ts';
import { resourceOfKind } from '../../api/resources.ts';

/** Returns the object of this name, if it exists. It is called for resources that have a scale. */
export type FindOwner = (
	definition: ResourceDefinition,
	object: { readonly namespace: string; readonly name: string },
) => KubeObject | undefined;

/** What the controllers of some Pods want. */
export interface ExpectedScale {
	/** The sum of their replicas. */
	readonly count: number;
	/** Number of Pods without a controller. */
	readonly unmanaged: number;
}

/**
 * The number of Pods that the controllers of these Pods want, or why it is unknown, in upstream's words: each controller
 * counts once with its replicas, a ReplicaSet of a Deployment with those of the Deployment (upstream: getExpectedScale and
 * the finders in pkg/controller/disruption).
 */
export function expectedScale(pods: readonly Pod[], find: FindOwner): ExpectedScale | string {
	const scales = new Map<string, number>();
	/** The controllers of Pods whose scale is known. */
	const known = new Set<string>();
	let unmanaged = 0;
	for (const pod of pods) {
		const owner = controllerOf(pod);
		if (!owner) {
			unmanaged += 1;
			continue;
		}
		if (known.has(owner.uid)) continue;
		const scale = scaleOfOwner(owner, pod.metadata.namespace ?? '', find);
		if (typeof scale === 'string') return scale;
		if (!scale) return `found no controllers for pod "${pod.metadata.name}"`;
		known.add(owner.uid);
		scales.set(scale.uid, scale.replicas);
	}
	return { count: scales.values().reduce((sum, replicas) => sum + replicas, 0), unmanaged };
}

/** The scale of the object with this UID. */
interface Scaled {
	readonly uid: string;
	readonly replicas: number;
}

function scaleOfOwner(
	owner: OwnerReference,
	namespace: string,
	find: FindOwner,
): Scaled | string | undefined {
	const definition = resourceOfKind(owner.apiVersion, owner.kind);
	if (!definition) return `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`;
	const { group, resource, scale } = definition;
	if (!scale)
		return `${group === '' ? resource : `${resource}.${group}`} does not implement the scale subresource`;
	const object = find(definition, { namespace, name: owner.name });
	if (object?.metadata.uid !== owner.uid) return undefined;
	const above = isOfKind(object, replicaSets) ? controllerOf(object) : undefined;
	if (above?.kind === deployments.kind && resourceOfKind(above.apiVersion, above.kind) === deployments) {
		const deployment = find(deployments, { namespace, name: above.name });
		if (deployment && deployment.metadata.uid === above.uid && isOfKind(deployment, deployments))
			return { uid: above.uid, replicas: deployment.spec.replicas ?? 0 };
	}
	return { uid: owner.uid, replicas: scale.replicasOf(object) };
}
