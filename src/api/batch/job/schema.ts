import { podTemplateSpecSchema } from '../../core/pod/schema.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	object,
	oneOf,
	optional,
	plain,
	pointer,
	required,
	setList,
	string,
	time,
	timeOrNull,
} from '../../meta/schema.ts';
import { labelSelectorSchema } from '../../meta/selector.ts';

const onExitCodesSchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement',
	'Compares the exit codes of a failed Pod.',
	{
		containerName: pointer(string, 'The container that is looked at; any of them where it is left out.'),
		operator: required(oneOf('In', 'NotIn'), 'How they are compared.'),
		values: required(setList(int32), 'What they are compared with, ascending.'),
	},
);

const onPodConditionSchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern',
	'A condition that a failed Pod may have.',
	{
		type: required(string, 'Type of the condition.'),
		status: required(string, 'Status of the condition.'),
	},
);

const podFailurePolicyRuleSchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicyRule',
	'What to do about Pods that failed in a certain way.',
	{
		action: required(oneOf('Count', 'FailIndex', 'FailJob', 'Ignore'), 'What to do.'),
		onExitCodes: optional(onExitCodesSchema, 'By exit code.'),
		onPodConditions: optional(list(onPodConditionSchema), 'By condition of the Pod.'),
	},
);

/** One rule of a pod failure policy. */
export type PodFailurePolicyRule = Infer<typeof podFailurePolicyRuleSchema>;

const podFailurePolicySchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicy',
	'What failed Pods mean for the Job.',
	{
		rules: required(list(podFailurePolicyRuleSchema), 'The rules; the first that matches decides.'),
	},
);

/** What failed Pods mean for the Job. */
export type PodFailurePolicy = Infer<typeof podFailurePolicySchema>;

const successPolicyRuleSchema = object(
	'io.k8s.api.batch.v1.SuccessPolicyRule',
	'When the Job counts as done.',
	{
		succeededIndexes: pointer(string, 'The indexes that must succeed, as 0,2-4.'),
		succeededCount: optional(int32, 'How many of them must.'),
	},
);

/** One rule of a success policy. */
export type SuccessPolicyRule = Infer<typeof successPolicyRuleSchema>;

const successPolicySchema = object(
	'io.k8s.api.batch.v1.SuccessPolicy',
	'When an Indexed Job counts as done early.',
	{
		rules: required(list(successPolicyRuleSchema), 'The rules; any of them suffices.'),
	},
);

/** When an Indexed Job counts as done early. */
export type SuccessPolicy = Infer<typeof successPolicySchema>;

/** Schema of batch/v1 JobSpec. */
export const jobSpecSchema = object('io.k8s.api.batch.v1.JobSpec', 'What a Job is to achieve, and how.', {
	parallelism: optional(int32, 'How many Pods may run at once.'),
	completions: optional(int32, 'How many Pods must succeed; left out, the first success ends it.'),
	activeDeadlineSeconds: optional(int64, 'How long the Job may be active.'),
	podFailurePolicy: optional(podFailurePolicySchema, 'What failed Pods mean.'),
	successPolicy: optional(successPolicySchema, 'When it counts as done early.'),
	backoffLimit: optional(int32, 'How many failures are borne.'),
	backoffLimitPerIndex: optional(int32, 'How many failures each index is allowed.'),
	maxFailedIndexes: optional(int32, 'How many indexes may fail.'),
	selector: optional(labelSelectorSchema, 'Which Pods are its own; generated as a rule.'),
	manualSelector: optional(boolean, "Whether the selector is the author's own."),
	template: required(podTemplateSpecSchema, 'What its Pods are made from.'),
	ttlSecondsAfterFinished: optional(int32, 'How long it is kept after its end.'),
	completionMode: pointer(oneOf('NonIndexed', 'Indexed'), 'Whether its Pods have an index each.'),
	suspend: optional(boolean, 'Whether it is at rest.'),
	podReplacementPolicy: pointer(
		oneOf('Failed', 'TerminatingOrFailed'),
		'Whether a Pod is replaced as soon as it terminates or only once it has failed.',
	),
	managedBy: pointer(string, 'Who manages the Job, where it is not the job controller.'),
});

/** What a Job is to achieve, and how. */
export type JobSpec = Infer<typeof jobSpecSchema>;

const jobConditionSchema = object('io.k8s.api.batch.v1.JobCondition', 'One aspect of how a Job is doing.', {
	type: required(string, 'Which aspect.'),
	status: required(string, 'True, False or Unknown.'),
	lastProbeTime: always(timeOrNull, 'When it was looked at last.'),
	lastTransitionTime: always(timeOrNull, 'When it changed last.'),
	reason: optional(string, 'Why, in a word.'),
	message: optional(string, 'Why, in a sentence.'),
});

/** One aspect of how a Job is doing. */
export type JobCondition = Infer<typeof jobConditionSchema>;

const uncountedTerminatedPodsSchema = object(
	'io.k8s.api.batch.v1.UncountedTerminatedPods',
	'UIDs of finished Pods that the counters do not hold yet.',
	{
		succeeded: optional(setList(string), 'Of those that succeeded.'),
		failed: optional(setList(string), 'Of those that failed.'),
	},
);

/** UIDs of finished Pods that the counters do not hold yet. */
export type UncountedTerminatedPods = Infer<typeof uncountedTerminatedPodsSchema>;

/** Schema of batch/v1 JobStatus. */
export const jobStatusSchema = object('io.k8s.api.batch.v1.JobStatus', 'How a Job is doing.', {
	conditions: optional(
		list(jobConditionSchema, { mergeKey: 'type', patch: 'merge' }),
		'How it is doing, by aspect.',
	),
	startTime: optional(time, 'When it began, or went on after a rest.'),
	completionTime: optional(time, 'When it was done.'),
	active: plain(int32, 'How many Pods are pending or running.'),
	succeeded: plain(int32, 'How many Pods have succeeded.'),
	failed: plain(int32, 'How many Pods have failed.'),
	terminating: optional(int32, 'How many Pods are being ended.'),
	completedIndexes: optional(string, 'The indexes that succeeded, as 0,2-4.'),
	failedIndexes: pointer(string, 'The indexes that failed, as 0,2-4.'),
	uncountedTerminatedPods: optional(
		uncountedTerminatedPodsSchema,
		'Finished Pods on their way into the counters.',
	),
	ready: optional(int32, 'How many active Pods are ready.'),
});

/** How a Job is doing. */
export type JobStatus = Infer<typeof jobStatusSchema>;

/** Schema of batch/v1 Job. */
export const jobSchema = object('io.k8s.api.batch.v1.Job', 'Runs Pods until enough of them have succeeded.', {
	apiVersion: required(string, 'Version of the API: batch/v1.'),
	kind: required(string, 'Kind of the object: Job.'),
	metadata: required(objectMetaSchema, 'Names, labels, owners.'),
	spec: required(jobSpecSchema, 'What it is to achieve.'),
	status: required(jobStatusSchema, 'How it is doing.'),
});

/** Runs Pods until enough of them have succeeded. */
export type Job = Infer<typeof jobSchema>;
