import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	boolean,
	type Infer,
	int32,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	required,
	string,
} from '../../schema/schema.ts';

/** Schema of scheduling.k8s.io/v1 PriorityClass. */
export const priorityClassSchema = object(
	'io.k8s.api.scheduling.v1.PriorityClass',
	'Named priority for Pods. The scheduler places Pods of higher priority first and preempts others to make room for them.',
	{
		apiVersion: required(string, 'Version of the API: scheduling.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: PriorityClass.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations.'),
		value: required(
			int32,
			'Priority of the Pods that name this class: at most 1000000000, higher values first. Cannot be changed.',
		),
		globalDefault: omitZero(
			boolean,
			'If true, Pods that name no class get this one. Only one class can be the default. Default false.',
		),
		description: optional(string, 'Guidance for users on when to use this class.'),
		preemptionPolicy: nullable(
			oneOf('Never', 'PreemptLowerPriority'),
			'Whether the scheduler deletes Pods of lower priority to make room for Pods of this class: PreemptLowerPriority (the default) or Never. Cannot be changed.',
		),
	},
);

/** Named priority for Pods. */
export type PriorityClass = Infer<typeof priorityClassSchema>;
