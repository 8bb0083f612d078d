import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, object, optional, required, string } from '../../schema/schema.ts';
import { objectReferenceSchema } from '../pod/schema/reference.ts';

/** Schema of v1 Binding, which a scheduler posts to `pods/<name>/binding`. */
export const bindingSchema = object(
	'io.k8s.api.core.v1.Binding',
	'Assigns a Pod to a node. It can be created once for each Pod.',
	{
		apiVersion: optional(string, 'API version of this object: v1.'),
		kind: optional(string, 'Kind of this object: Binding.'),
		metadata: required(
			objectMetaSchema,
			'Metadata whose name and namespace identify the Pod. Annotations in it are added to the Pod.',
		),
		target: required(
			objectReferenceSchema,
			'The Node that the Pod is assigned to. Its kind must be Node or empty; its name is required.',
		),
	},
);

/** Request to assign a Pod to a node; it is not stored. */
export type Binding = Infer<typeof bindingSchema>;
