import {
	boolean,
	type Infer,
	int64,
	list,
	map,
	mapList,
	object,
	optional,
	plain,
	rawObject,
	required,
	setList,
	string,
	time,
} from './schema.ts';

/** Schema of metav1.OwnerReference. */
export const ownerReferenceSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
	'Names the object that this one belongs to, in the same namespace or cluster-wide.',
	{
		apiVersion: required(string, 'API version of the owner.'),
		kind: required(string, 'Kind of the owner.'),
		name: required(string, 'Name of the owner.'),
		uid: required(string, 'UID of the owner.'),
		controller: optional(boolean, 'Whether the owner is the controller that manages this object.'),
		blockOwnerDeletion: optional(boolean, 'Whether foreground deletion of the owner waits for this object.'),
	},
	{ atomic: true },
);

/** Says which object another one belongs to. */
export type OwnerReference = Infer<typeof ownerReferenceSchema>;

/** Schema of metav1.ManagedFieldsEntry. */
export const managedFieldsEntrySchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry',
	'Records which fields a manager has set, for server-side apply.',
	{
		manager: optional(string, 'Who set the fields.'),
		operation: optional(string, 'Apply or Update.'),
		apiVersion: optional(string, 'Version of the API in which the fields are named.'),
		time: optional(time, 'When the entry changed last.'),
		fieldsType: optional(string, 'Format of fieldsV1: always FieldsV1.'),
		fieldsV1: optional(rawObject, 'The set of fields.'),
		subresource: optional(string, 'The subresource through which they were set.'),
	},
);

/** Schema of metav1.ObjectMeta. */
export const objectMetaSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
	'What every stored object carries: its names, identity, versions and owners.',
	{
		name: optional(string, 'Unique among the objects of its kind in the namespace.'),
		generateName: optional(string, 'Prefix of a name that the server completes when name is empty.'),
		namespace: optional(string, 'The namespace the object lives in.'),
		selfLink: optional(string, 'No longer set by anything.'),
		uid: optional(string, 'Unique in time and space; set by the server.'),
		resourceVersion: optional(string, 'The version of the object; changes with every write.'),
		generation: plain(int64, 'Counts the changes of the desired state.'),
		creationTimestamp: optional(time, 'When the server created the object.'),
		deletionTimestamp: optional(time, 'When the object will be deleted; set once deletion was asked for.'),
		deletionGracePeriodSeconds: optional(int64, 'How long the object may take to end by itself.'),
		labels: optional(map(string), 'Keys and values by which objects are selected.'),
		annotations: optional(map(string), 'Keys and values for tools to keep what they need.'),
		ownerReferences: optional(mapList(ownerReferenceSchema, ['uid']), 'The objects this one belongs to.'),
		finalizers: optional(
			setList(string, { patch: 'merge' }),
			'Who must act before the object is really removed.',
		),
		managedFields: optional(list(managedFieldsEntrySchema), 'Which manager set which fields.'),
	},
);

/** Metadata of a stored object. */
export type ObjectMeta = Infer<typeof objectMetaSchema>;

/** What every object of the API has. */
export interface KubeObject {
	readonly apiVersion: string;
	readonly kind: string;
	readonly metadata: ObjectMeta;
}
