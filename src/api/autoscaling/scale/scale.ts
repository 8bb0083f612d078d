import type { ResourceDefinition, ScaleRule } from '../../contract/resource-definition.ts';
import { virtualResource } from '../../contract/virtual-resource.ts';
import { ageColumn, integerColumn, nameColumn } from '../../meta/columns.ts';
import type { KubeObject } from '../../meta/object-meta.ts';
import { type Scale, scaleSchema } from './schema.ts';

/** A Scale that the server has made, with its kind. */
export type ScaleObject = Scale & KubeObject;

/** What Tables of a Scale show, and its names in them (upstream: printScale). */
export const scales: ResourceDefinition<ScaleObject> = {
	...virtualResource<ScaleObject>({
		group: 'autoscaling',
		version: 'v1',
		kind: 'Scale',
		resource: 'scales',
		singular: 'scale',
		schema: scaleSchema,
		namespaced: true,
	}),
	columns: [
		nameColumn(),
		integerColumn('Desired', 'Number of Pods that the workload keeps.', ({ spec }) => spec?.replicas ?? 0),
		integerColumn(
			'Available',
			'Number of Pods that the workload has.',
			({ status }) => status?.replicas ?? 0,
		),
		ageColumn(),
	],
};

/** The Scale of a workload (upstream: scaleFromDeployment and its siblings). */
export function scaleOf<T extends KubeObject>(object: T, rule: ScaleRule<T>): ScaleObject {
	const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
	const replicas = rule.replicasOf(object);
	const selector = rule.selectorOf(object);
	return {
		kind: 'Scale',
		apiVersion: 'autoscaling/v1',
		metadata: {
			...(name && { name }),
			...(namespace && { namespace }),
			...(uid && { uid }),
			...(resourceVersion && { resourceVersion }),
			...(creationTimestamp && { creationTimestamp }),
		},
		spec: { ...(replicas !== 0 && { replicas }) },
		status: { replicas: rule.observedOf(object), ...(selector !== '' && { selector }) },
	};
}
