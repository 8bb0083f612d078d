import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	boolean,
	type Infer,
	int32,
	object,
	oneOf,
	optional,
	plain,
	pointer,
	required,
	string,
} from '../../meta/schema.ts';

/** Schema of scheduling.k8s.io/v1 PriorityClass. */
export const priorityClassSchema = object(
	'io.k8s.api.scheduling.v1.PriorityClass',
	'Gives Pods that name it a priority: the scheduler places those of a higher priority first, and removes others to make room for them.',
	{
		apiVersion: required(string, 'Version of the API: scheduling.k8s.io/v1.'),
		kind: required(string, 'Kind of the object: PriorityClass.'),
		metadata: required(objectMetaSchema, 'Name and labels of the class.'),
		value: required(int32, 'The priority that Pods of this class get. Cannot be changed.'),
		globalDefault: plain(
			boolean,
			'If true, Pods that name no class get this one. Only one class can be the default.',
		),
		description: optional(string, 'When to use this class, for people.'),
		preemptionPolicy: pointer(
			oneOf('Never', 'PreemptLowerPriority'),
			'PreemptLowerPriority (the default): Pods of a lower priority are removed to make room. Never: they are not. Cannot be changed.',
		),
	},
);

/** A priority that Pods can ask for by name. */
export type PriorityClass = Infer<typeof priorityClassSchema>;
