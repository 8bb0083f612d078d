import {
	always,
	type Infer,
	object,
	optional,
	pointer,
	quantity,
	required,
	string,
	stringOrNull,
} from '../../meta/schema.ts';

/** Schema of v1.LocalObjectReference. */
export const localObjectReferenceSchema = object(
	'io.k8s.api.core.v1.LocalObjectReference',
	'Names an object in the same namespace.',
	{ name: optional(string, 'Name of the object.') },
	{ atomic: true },
);

/** Schema of v1.ObjectReference. */
export const objectReferenceSchema = object(
	'io.k8s.api.core.v1.ObjectReference',
	'Points at an object, or at a part of it.',
	{
		kind: optional(string, 'Kind of the object.'),
		namespace: optional(string, 'Namespace of the object.'),
		name: optional(string, 'Name of the object.'),
		uid: optional(string, 'UID of the object.'),
		apiVersion: optional(string, 'API version of the object.'),
		resourceVersion: optional(string, 'The version of the object that is meant.'),
		fieldPath: optional(string, 'The part of the object, such as spec.containers{name}.'),
	},
	{ atomic: true },
);

/** Points at an object, or at a part of it. */
export type ObjectReference = Infer<typeof objectReferenceSchema>;

/** Schema of v1.TypedLocalObjectReference. */
export const typedLocalObjectReferenceSchema = object(
	'io.k8s.api.core.v1.TypedLocalObjectReference',
	'Names an object of any kind in the same namespace.',
	{
		apiGroup: always(stringOrNull, 'API group of the object; empty for the core group.'),
		kind: required(string, 'Kind of the object.'),
		name: required(string, 'Name of the object.'),
	},
	{ atomic: true },
);

/** Schema of v1.TypedObjectReference. */
export const typedObjectReferenceSchema = object(
	'io.k8s.api.core.v1.TypedObjectReference',
	'Names an object of any kind, perhaps in another namespace.',
	{
		apiGroup: always(stringOrNull, 'API group of the object; empty for the core group.'),
		kind: required(string, 'Kind of the object.'),
		name: required(string, 'Name of the object.'),
		namespace: pointer(string, 'Namespace of the object.'),
	},
);

/** Schema of v1.ObjectFieldSelector. */
export const objectFieldSelectorSchema = object(
	'io.k8s.api.core.v1.ObjectFieldSelector',
	'A field of the Pod itself.',
	{
		apiVersion: optional(string, 'Version of the API in which the path is written.'),
		fieldPath: required(string, 'The field.'),
	},
	{ atomic: true },
);

/** A field of the Pod itself. */
export type ObjectFieldSelector = Infer<typeof objectFieldSelectorSchema>;

/** Schema of v1.ResourceFieldSelector. */
export const resourceFieldSelectorSchema = object(
	'io.k8s.api.core.v1.ResourceFieldSelector',
	'A request or limit of a container.',
	{
		containerName: optional(string, 'The container; in a variable, its own where it is left out.'),
		resource: required(string, 'The resource, as limits.cpu.'),
		divisor: always(quantity, 'The unit of the value.'),
	},
	{ atomic: true },
);

/** A request or limit of a container. */
export type ResourceFieldSelector = Infer<typeof resourceFieldSelectorSchema>;
