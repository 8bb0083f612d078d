import {
	atomic,
	boolean,
	type Infer,
	int64,
	list,
	map,
	mapList,
	object,
	omitZero,
	optional,
	rawObject,
	required,
	setList,
	string,
	time,
} from '../schema/schema.ts';

/** Schema of metav1.OwnerReference. */
export const ownerReferenceSchema = atomic(
	object(
		'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
		'Reference to an object that owns this one: in the same namespace, or cluster-scoped.',
		{
			apiVersion: required(string, 'API version of the owner, such as batch/v1.'),
			kind: required(string, 'Kind of the owner, such as Job.'),
			name: required(string, 'Name of the owning object.'),
			uid: required(string, 'UID of the owning object, which tells it from an earlier one of the same name.'),
			controller: optional(
				boolean,
				'Whether the owner is the controller that manages this object. At most one reference may say so.',
			),
			blockOwnerDeletion: optional(
				boolean,
				'Whether foreground deletion of the owner waits until this object is deleted. Default false.',
			),
		},
	),
);

/** A reference to an owner. The garbage collector deletes an object once none of its owners exists. */
export type OwnerReference = Infer<typeof ownerReferenceSchema>;

/** Schema of metav1.ManagedFieldsEntry. */
export const managedFieldsEntrySchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry',
	'Record of the fields that one manager has set, for server-side apply.',
	{
		manager: optional(string, 'Name of the manager that set the fields.'),
		operation: optional(string, 'Type of the request that set the fields: Apply or Update.'),
		apiVersion: optional(string, 'API version in which the fields are named.'),
		time: optional(time, 'Time at which the entry last changed.'),
		fieldsType: optional(string, 'Format of fieldsV1: always FieldsV1.'),
		fieldsV1: optional(rawObject, 'Set of fields in the format FieldsV1.'),
		subresource: optional(
			string,
			'Subresource through which the fields were set; empty for the object itself.',
		),
	},
);

/** Schema of metav1.ObjectMeta. */
export const objectMetaSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
	'Metadata of a stored object: its name, identity, versions, labels and owners.',
	{
		name: optional(string, 'Name of the object: unique among those of its kind in the namespace. Immutable.'),
		generateName: optional(
			string,
			'Prefix of the name, used if name is empty: the server appends five random characters.',
		),
		namespace: optional(string, 'Namespace of the object; empty for cluster-scoped kinds. Immutable.'),
		selfLink: optional(string, 'Deprecated: the server does not set it.'),
		uid: optional(
			string,
			'Unique identifier, set by the server on create. A deleted and recreated object gets a new one.',
		),
		resourceVersion: optional(
			string,
			'Version of the stored object: changes with every write. A write that names an older one is refused with a conflict.',
		),
		generation: omitZero(
			int64,
			'Sequence number of the desired state, incremented by the server when it changes.',
		),
		creationTimestamp: optional(time, 'Time at which the server created the object.'),
		deletionTimestamp: optional(
			time,
			'Time at which the object is due to be deleted. Set by the server when a client requests a graceful deletion, or finalizers remain.',
		),
		deletionGracePeriodSeconds: optional(
			int64,
			'Seconds of grace before the object is deleted. Set together with deletionTimestamp.',
		),
		labels: optional(map(string), 'Keys and values by which selectors find the object.'),
		annotations: optional(
			map(string),
			'Keys and values in which tools store data of their own. Selectors ignore them. At most 256 KiB in total.',
		),
		ownerReferences: optional(
			mapList(ownerReferenceSchema, ['uid']),
			'Owners of the object: the garbage collector deletes it once none of them exists.',
		),
		finalizers: optional(
			setList(string, { patch: 'merge' }),
			'Names of tasks that must finish before a deleted object is removed: each component removes its own.',
		),
		managedFields: optional(
			list(managedFieldsEntrySchema),
			'Fields that each manager has set, for server-side apply.',
		),
	},
);

/** Metadata of a stored object. */
export type ObjectMeta = Infer<typeof objectMetaSchema>;

/** The fields that every object of the API has. */
export interface KubeObject {
	readonly apiVersion: string;
	readonly kind: string;
	readonly metadata: ObjectMeta;
}
