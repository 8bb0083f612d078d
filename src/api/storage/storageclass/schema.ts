import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	atomic,
	boolean,
	type Infer,
	list,
	map,
	nullable,
	object,
	oneOf,
	optional,
	required,
	string,
} from '../../schema/schema.ts';

const topologySelectorTermSchema = atomic(
	object(
		'io.k8s.api.core.v1.TopologySelectorTerm',
		'Set of requirements on the labels of a Node, all of which it must meet.',
		{
			matchLabelExpressions: optional(
				list(
					object(
						'io.k8s.api.core.v1.TopologySelectorLabelRequirement',
						'Requirement that the value of a label is one of a list.',
						{
							key: required(string, 'Key of the label that the requirement applies to.'),
							values: required(list(string), 'Values of which the label must have one.'),
						},
					),
				),
				'Requirements on the labels of the Node.',
			),
		},
	),
);

/** Schema of storage.k8s.io/v1 StorageClass. */
export const storageClassSchema = object(
	'io.k8s.api.storage.v1.StorageClass',
	'Kind of storage that claims can ask for by name, and the provisioner that creates its volumes.',
	{
		apiVersion: required(string, 'Version of the API: storage.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: StorageClass.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations.'),
		provisioner: required(
			string,
			'Name of the provisioner that creates the volumes, such as stint.io/local. Cannot be changed.',
		),
		parameters: optional(map(string), 'Settings for the provisioner, by name. Cannot be changed.'),
		reclaimPolicy: nullable(
			oneOf('Delete', 'Retain'),
			'What happens to a volume whose claim was deleted: Delete (the default) or Retain. Cannot be changed.',
		),
		mountOptions: optional(list(string), 'Mount options of the volumes, such as ro or soft.'),
		allowVolumeExpansion: optional(boolean, 'If true, claims of this class can grow. Default false.'),
		volumeBindingMode: nullable(
			oneOf('Immediate', 'WaitForFirstConsumer'),
			'When a volume is provisioned and bound: Immediate (the default), or WaitForFirstConsumer: once a Pod that uses the claim is scheduled. Cannot be changed.',
		),
		allowedTopologies: optional(
			list(topologySelectorTermSchema),
			'Terms of which a Node must match one for volumes to be provisioned for it. Default: all Nodes.',
		),
	},
);

/** Kind of storage that claims can ask for by name. */
export type StorageClass = Infer<typeof storageClassSchema>;
