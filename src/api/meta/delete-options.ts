import { boolean, type Infer, int64, list, object, optional, string } from './schema.ts';

/** Schema of metav1.DeleteOptions. */
export const deleteOptionsSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
	'Says how an object is to be deleted.',
	{
		apiVersion: optional(string, 'The version of this object.'),
		kind: optional(string, 'DeleteOptions.'),
		gracePeriodSeconds: optional(int64, 'How long the object may take to end by itself; 0: none at all.'),
		preconditions: optional(
			object('io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions', 'What must hold of the object.', {
				uid: optional(string, 'Its UID.'),
				resourceVersion: optional(string, 'Its resourceVersion.'),
			}),
			'What must hold of the object, or it is not deleted.',
		),
		orphanDependents: optional(boolean, 'The older form of propagationPolicy.'),
		propagationPolicy: optional(string, 'Background, Foreground or Orphan: what becomes of dependents.'),
		dryRun: optional(list(string), 'All: do all but the deletion.'),
		ignoreStoreReadErrorWithClusterBreakingPotential: optional(boolean, 'Has no meaning here.'),
	},
);

/** How an object is to be deleted. */
export type DeleteOptions = Infer<typeof deleteOptionsSchema>;
