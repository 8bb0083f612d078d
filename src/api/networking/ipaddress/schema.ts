import { objectMetaSchema } from '../../meta/object-meta.ts';
import { type Infer, object, optional, required, string } from '../../schema/schema.ts';

const parentReferenceSchema = object(
	'io.k8s.api.networking.v1.ParentReference',
	'Object that has an IP address.',
	{
		group: optional(string, 'API group of the object: empty for the core group.'),
		resource: optional(string, 'Resource of the object, in plural: services. Required.'),
		namespace: optional(string, 'Namespace of the object, if it is in one.'),
		name: optional(string, 'Name of the object. It is required.'),
	},
);

/** Object that has an IP address. */
export type ParentReference = Infer<typeof parentReferenceSchema>;

/** Schema of networking.k8s.io/v1 IPAddress. */
export const ipAddressSchema = object(
	'io.k8s.api.networking.v1.IPAddress',
	'IP address that is in use. Its name is the address in canonical form.',
	{
		apiVersion: required(string, 'Version of the API: networking.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: IPAddress.'),
		metadata: required(
			objectMetaSchema,
			'Standard object metadata: name (the address), labels, annotations.',
		),
		spec: required(
			object('io.k8s.api.networking.v1.IPAddressSpec', 'Use of an IP address.', {
				parentRef: optional(
					parentReferenceSchema,
					'Object that has the address. Required, and cannot be changed.',
				),
			}),
			'Use of the address.',
		),
	},
);

/** IP address that is in use. */
export type IpAddressObject = Infer<typeof ipAddressSchema>;
