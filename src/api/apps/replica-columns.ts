import type { Column } from '../contract/resource-definition.ts';
import { ageColumn, integerColumn, nameColumn } from '../meta/columns.ts';
import type { KubeObject } from '../meta/object-meta.ts';

/** The fields that the columns below show. */
interface Counted extends KubeObject {
	readonly spec: { readonly replicas?: number };
	readonly status: { readonly replicas: number; readonly readyReplicas?: number };
}

/** The narrow columns of ReplicaSets and ReplicationControllers (upstream: printReplicaSet). */
export function replicaColumns<T extends Counted>(): readonly Column<T>[] {
	return [
		nameColumn(),
		integerColumn('Desired', 'Number of Pods that the controller keeps.', ({ spec }) => spec.replicas ?? 0),
		integerColumn('Current', 'Number of Pods that are not being deleted.', ({ status }) => status.replicas),
		integerColumn('Ready', 'Number of ready Pods.', ({ status }) => status.readyReplicas ?? 0),
		ageColumn(),
	];
}
