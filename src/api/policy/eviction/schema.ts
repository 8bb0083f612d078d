import { deleteOptionsSchema } from '../../meta/delete-options.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, object, optional, required, string } from '../../schema/schema.ts';

/**
 * Schema of policy/v1 Eviction, which clients post to `pods/<name>/eviction`. Its fields equal those of
 * v1beta1.
 */
export const evictionSchema = object(
	'io.k8s.api.policy.v1.Eviction',
	'Request to evict a Pod from its node: the API server sets its condition DisruptionTarget and deletes it.',
	{
		apiVersion: optional(string, 'Version of the API: policy/v1.'),
		kind: optional(string, 'Kind of the object: Eviction.'),
		metadata: required(
			objectMetaSchema,
			'Standard object metadata: the name and namespace of the Pod to evict.',
		),
		deleteOptions: optional(deleteOptionsSchema, 'Options for deleting the Pod, such as its grace period.'),
	},
);

/** Request to evict a Pod from its node; it is not stored. */
export type Eviction = Infer<typeof evictionSchema>;
