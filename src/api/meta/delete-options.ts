import { boolean, type Infer, int64, list, object, optional, string } from '../schema/schema.ts';

/** Schema of metav1.DeleteOptions. */
export const deleteOptionsSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
	'Options of a delete request: grace period, preconditions and what happens to dependents.',
	{
		apiVersion: optional(string, 'API version of these options: v1 or meta.k8s.io/v1.'),
		kind: optional(string, 'Kind of these options: DeleteOptions.'),
		gracePeriodSeconds: optional(
			int64,
			'Seconds that the object gets to terminate gracefully. 0 deletes it immediately. By default the kind decides.',
		),
		preconditions: optional(
			object(
				'io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions',
				'Conditions that the object must meet for the deletion to take place.',
				{
					uid: optional(string, 'Required UID of the object.'),
					resourceVersion: optional(string, 'Required resourceVersion of the object.'),
				},
			),
			'Conditions that the object must meet: otherwise the request fails with a conflict.',
		),
		orphanDependents: optional(
			boolean,
			'Deprecated: use propagationPolicy. True is Orphan; false is Background.',
		),
		propagationPolicy: optional(
			string,
			'What happens to dependents. Background: deleted after the object. Foreground: deleted before it. Orphan: kept. By default the kind decides.',
		),
		dryRun: optional(
			list(string),
			'All: the request is checked and answered, but the object is not deleted.',
		),
		ignoreStoreReadErrorWithClusterBreakingPotential: optional(
			boolean,
			'Accepted for compatibility and ignored.',
		),
	},
);

/** Options of a delete request, from its body or its query. */
export type DeleteOptions = Infer<typeof deleteOptionsSchema>;
