import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	type Infer,
	list,
	mapList,
	object,
	oneOf,
	optional,
	required,
	string,
	timeOrNull,
} from '../../schema/schema.ts';

const namespaceConditionSchema = object(
	'io.k8s.api.core.v1.NamespaceCondition',
	"Latest observation of one aspect of a Namespace's deletion.",
	{
		type: required(string, 'Type of the condition, such as NamespaceContentRemaining.'),
		status: required(string, 'Whether the condition holds: True, False or Unknown.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change, in CamelCase.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

/** Schema of v1.Namespace. */
export const namespaceSchema = object(
	'io.k8s.api.core.v1.Namespace',
	'Scope for names: objects in different Namespaces can have equal names. Deleting a Namespace deletes its objects.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Namespace.'),
		metadata: required(
			objectMetaSchema,
			'Standard object metadata: name, labels, annotations, owner references.',
		),
		spec: required(
			object('io.k8s.api.core.v1.NamespaceSpec', 'Desired state of a Namespace.', {
				finalizers: optional(
					list(string),
					'Values that must be removed from the list before a deleted Namespace is removed: kubernetes stands for deleting its objects.',
				),
			}),
			'Desired state of the Namespace.',
		),
		status: required(
			object('io.k8s.api.core.v1.NamespaceStatus', 'Observed state of a Namespace.', {
				phase: optional(
					oneOf('Active', 'Terminating'),
					'Lifecycle phase: Active, or Terminating once the Namespace is being deleted. Nothing can be created in a terminating Namespace.',
				),
				conditions: optional(
					mapList(namespaceConditionSchema, ['type']),
					"Latest observations of the Namespace's deletion.",
				),
			}),
			'Observed state of the Namespace.',
		),
	},
);

/** Scope for the names of objects. */
export type Namespace = Infer<typeof namespaceSchema>;
