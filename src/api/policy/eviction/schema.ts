import { deleteOptionsSchema } from '../../meta/delete-options.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, object, optional, required, string } from '../../meta/schema.ts';

/** Schema of policy/v1 Eviction (v1beta1 has the same fields), which is posted to `pods/<name>/eviction`. */
export const evictionSchema = object(
	'io.k8s.api.policy.v1.Eviction',
	'Asks for a Pod to be taken off its node.',
	{
		apiVersion: optional(string, 'Version of the API: policy/v1.'),
		kind: optional(string, 'Kind of the object: Eviction.'),
		metadata: required(objectMetaSchema, 'Names the Pod.'),
		deleteOptions: optional(deleteOptionsSchema, 'How the Pod is to be deleted.'),
	},
);

/** A wish to have a Pod off its node. */
export type Eviction = Infer<typeof evictionSchema>;
