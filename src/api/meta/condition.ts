import { type Infer, int64, object, oneOf, optional, required, string, time } from './schema.ts';

/** Schema of metav1.Condition, which newer kinds use; Jobs, Pods and Nodes have conditions of their own. */
export const conditionSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.Condition',
	'One aspect of the state of an object.',
	{
		type: required(string, 'Which aspect, in CamelCase.'),
		status: required(oneOf('True', 'False', 'Unknown'), 'True, False or Unknown.'),
		observedGeneration: optional(int64, 'The generation of the object that this was found out for.'),
		lastTransitionTime: required(time, 'When the status changed last.'),
		reason: required(string, 'Why, in one CamelCase word.'),
		message: required(string, 'Details for people; may be empty.'),
	},
);

/** One aspect of the state of an object. */
export type Condition = Infer<typeof conditionSchema>;
