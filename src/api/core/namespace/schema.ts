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
} from '../../meta/schema.ts';

const namespaceConditionSchema = object(
	'io.k8s.api.core.v1.NamespaceCondition',
	'One aspect of a deletion under way.',
	{
		type: required(string, 'Which aspect.'),
		status: required(string, 'True, False or Unknown.'),
		lastTransitionTime: always(timeOrNull, 'When it changed last.'),
		reason: optional(string, 'Why, in a word.'),
		message: optional(string, 'Why, in a sentence.'),
	},
);

/** Schema of v1.Namespace. */
export const namespaceSchema = object(
	'io.k8s.api.core.v1.Namespace',
	'A room of its own for the names of objects.',
	{
		apiVersion: required(string, 'Version of the API: v1.'),
		kind: required(string, 'Kind of the object: Namespace.'),
		metadata: required(objectMetaSchema, 'Names, labels, owners.'),
		spec: required(
			object('io.k8s.api.core.v1.NamespaceSpec', 'What holds a namespace.', {
				finalizers: optional(list(string), 'Who must act before it is really removed.'),
			}),
			'What holds it.',
		),
		status: required(
			object('io.k8s.api.core.v1.NamespaceStatus', 'Where in its life a namespace is.', {
				phase: optional(oneOf('Active', 'Terminating'), 'Active, or Terminating once it is deleted.'),
				conditions: optional(mapList(namespaceConditionSchema, ['type']), 'How its deletion is getting on.'),
			}),
			'Where in its life it is.',
		),
	},
);

/** A room of its own for the names of objects. */
export type Namespace = Infer<typeof namespaceSchema>;
