/** Schemas of references: to objects, to fields of the Pod, and to resources of a container. */

import {
	always,
	atomic,
	type Infer,
	nullable,
	object,
	optional,
	quantity,
	required,
	string,
	stringOrNull,
} from '../../../schema/schema.ts';

/** Schema of v1.LocalObjectReference. */
export const localObjectReferenceSchema = atomic(
	object('io.k8s.api.core.v1.LocalObjectReference', 'Reference to an object in the same namespace.', {
		name: optional(string, 'Name of the referenced object.'),
	}),
);

/** Schema of v1.ObjectReference. */
export const objectReferenceSchema = atomic(
	object('io.k8s.api.core.v1.ObjectReference', 'Reference to an object or to a part of it.', {
		kind: optional(string, 'Kind of the referenced object.'),
		namespace: optional(string, 'Namespace of the referenced object.'),
		name: optional(string, 'Name of the referenced object.'),
		uid: optional(string, 'UID of the referenced object.'),
		apiVersion: optional(string, 'API version of the referenced object.'),
		resourceVersion: optional(string, 'Resource version of the object that the reference was made to.'),
		fieldPath: optional(
			string,
			'Part of the object, such as spec.containers{name}. Default: the whole object.',
		),
	}),
);

/** Reference to an object, or to a part of it; every field is optional. */
export type ObjectReference = Infer<typeof objectReferenceSchema>;

/** Schema of v1.TypedLocalObjectReference. */
export const typedLocalObjectReferenceSchema = atomic(
	object(
		'io.k8s.api.core.v1.TypedLocalObjectReference',
		'Reference to an object of any kind in the same namespace.',
		{
			apiGroup: always(stringOrNull, 'API group of the object. Empty for the core group.'),
			kind: required(string, 'Kind of the referenced object.'),
			name: required(string, 'Name of the referenced object.'),
		},
	),
);

/** Schema of v1.TypedObjectReference. */
export const typedObjectReferenceSchema = object(
	'io.k8s.api.core.v1.TypedObjectReference',
	'Reference to an object of any kind, which can be in another namespace.',
	{
		apiGroup: always(stringOrNull, 'API group of the object. Empty for the core group.'),
		kind: required(string, 'Kind of the referenced object.'),
		name: required(string, 'Name of the referenced object.'),
		namespace: nullable(string, 'Namespace of the object. Default: the namespace of the referring object.'),
	},
);

/** Schema of v1.ObjectFieldSelector. */
export const objectFieldSelectorSchema = atomic(
	object('io.k8s.api.core.v1.ObjectFieldSelector', 'Reference to a field of the Pod itself.', {
		apiVersion: optional(string, 'API version in which fieldPath is written. Default v1.'),
		fieldPath: required(string, "Path of the field, such as metadata.name or metadata.labels['app']."),
	}),
);

/** Reference to a field of the Pod itself. */
export type ObjectFieldSelector = Infer<typeof objectFieldSelectorSchema>;

/** Schema of v1.ResourceFieldSelector. */
export const resourceFieldSelectorSchema = atomic(
	object(
		'io.k8s.api.core.v1.ResourceFieldSelector',
		'Reference to a resource limit or request of a container.',
		{
			containerName: optional(
				string,
				'Name of the container. Required in volumes; in environment variables the default is the container itself.',
			),
			resource: required(string, 'Limit or request, such as limits.cpu or requests.memory.'),
			divisor: always(
				quantity,
				'Unit in which the value is given, such as 1m or 1Mi; the result is rounded up. Default 1.',
			),
		},
	),
);

/** Reference to a resource limit or request of a container. */
export type ResourceFieldSelector = Infer<typeof resourceFieldSelectorSchema>;
