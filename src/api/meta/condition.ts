import { type Infer, int64, object, optional, required, string, time } from './schema.ts';

/** Schema of metav1.Condition. */
export const conditionSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.Condition',
	'One aspect of the current state of an object.',
	{
		type: required(string, 'Type of the condition, in CamelCase.'),
		status: required(string, 'True, False or Unknown.'),
		observedGeneration: optional(int64, 'The generation that the condition was set upon.'),
		lastTransitionTime: required(time, 'When the status changed last.'),
		reason: required(string, 'Why it changed, for machines.'),
		message: required(string, 'Why it changed, for people.'),
	},
);

/** One aspect of the current state of an object. */
export type Condition = Infer<typeof conditionSchema>;
