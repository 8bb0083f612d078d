/**
 * The schema of batch/v1 Job. The descriptions are what `kubectl explain` prints: what the field means, its
 * default and bounds, and what follows from it.
 *
 * Whether a field is `optional`, `nullable`, `omitZero` or `always` follows its Go type in upstream's
 * k8s.io/api/batch/v1, since that decides which zero values are stored and sent (see schema/schema.ts).
 */

import { podTemplateSpecSchema } from '../../core/pod/schema.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import { labelSelectorSchema } from '../../meta/selector.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	required,
	setList,
	string,
	time,
	timeOrNull,
} from '../../schema/schema.ts';

const onExitCodesSchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement',
	'A requirement on the exit codes of a failed Pod: its rule matches if it holds for one container.',
	{
		containerName: nullable(
			string,
			'Restricts the requirement to the container or init container of this name. By default it applies to all of them.',
		),
		operator: required(
			oneOf('In', 'NotIn'),
			'How exit codes relate to the values. In: the exit code is one of them. NotIn: it is none of them. Containers with exit code 0 never match.',
		),
		values: required(
			setList(int32),
			'Exit codes in ascending order without duplicates: 1 to 255 of them, and no 0 for In.',
		),
	},
);

const onPodConditionSchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern',
	'A pattern that matches a failed Pod with a condition of this type and status.',
	{
		type: required(string, 'Type of the Pod condition, such as DisruptionTarget.'),
		status: required(string, 'Required status of the Pod condition: True, False or Unknown. Default True.'),
	},
);

const podFailurePolicyRuleSchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicyRule',
	'What the job controller does about failed Pods that match: set exactly one of onExitCodes and onPodConditions.',
	{
		action: required(
			oneOf('Count', 'FailIndex', 'FailJob', 'Ignore'),
			'What to do if the rule matches. FailJob: fail the Job. FailIndex: fail the index of the Pod (needs backoffLimitPerIndex). Ignore: do not count the failure. Count: count it towards backoffLimit.',
		),
		onExitCodes: optional(onExitCodesSchema, 'Matches by the exit codes of the containers of the Pod.'),
		onPodConditions: optional(
			list(onPodConditionSchema),
			'Matches if the Pod has one of these conditions. At most 20 patterns.',
		),
	},
);

/** One rule of a pod failure policy. */
export type PodFailurePolicyRule = Infer<typeof podFailurePolicyRuleSchema>;

const podFailurePolicySchema = object(
	'io.k8s.api.batch.v1.PodFailurePolicy',
	'How the job controller treats failed Pods, by exit code and Pod condition.',
	{
		rules: required(
			list(podFailurePolicyRuleSchema),
			'Rules in order of evaluation: the first that matches a failed Pod decides. If none matches, the failure counts towards backoffLimit. At most 20.',
		),
	},
);

/** How the job controller treats failed Pods: the first rule that matches decides. */
export type PodFailurePolicy = Infer<typeof podFailurePolicySchema>;

const successPolicyRuleSchema = object(
	'io.k8s.api.batch.v1.SuccessPolicyRule',
	'One criterion for success: set succeededIndexes, succeededCount or both.',
	{
		succeededIndexes: nullable(
			string,
			'Indexes that must succeed, as numbers and ranges separated by commas: 0,2-4. All of them must, unless succeededCount is set. By default all indexes are considered.',
		),
		succeededCount: optional(
			int32,
			'Number of the considered indexes that must succeed. At least 0, and at most the number of those indexes.',
		),
	},
);

/** One rule of a success policy. */
export type SuccessPolicyRule = Infer<typeof successPolicyRuleSchema>;

const successPolicySchema = object(
	'io.k8s.api.batch.v1.SuccessPolicy',
	'Criteria by which an Indexed Job succeeds before all of its indexes have.',
	{
		rules: required(
			list(successPolicyRuleSchema),
			'Criteria in order of evaluation: the Job succeeds once any of them is met, and its running Pods are deleted. 1 to 20.',
		),
	},
);

/** Criteria by which an Indexed Job succeeds before all of its indexes have. */
export type SuccessPolicy = Infer<typeof successPolicySchema>;

/** Schema of batch/v1 JobSpec. */
export const jobSpecSchema = object(
	'io.k8s.api.batch.v1.JobSpec',
	'Desired state of a Job: its Pod template, and how often and under which limits it runs.',
	{
		parallelism: optional(
			int32,
			'Maximum number of Pods that run at the same time. Default 1. At 0 the Job pauses. May be changed while the Job runs.',
		),
		completions: optional(
			int32,
			'Number of Pods that must succeed. If unset while parallelism is set, the Job is a work queue: it is complete once one Pod has succeeded and all others have ended. Default 1 if parallelism is unset too.',
		),
		activeDeadlineSeconds: optional(
			int64,
			'Seconds after status.startTime at which the Job fails with reason DeadlineExceeded and its Pods are deleted. No limit by default. Time before a resumption does not count.',
		),
		podFailurePolicy: optional(
			podFailurePolicySchema,
			'Rules for failed Pods that fail the Job or an index early, or do not count the failure. Needs restartPolicy Never. Immutable.',
		),
		successPolicy: optional(
			successPolicySchema,
			'Criteria by which the Job succeeds before all of its indexes have. Needs completionMode Indexed. Immutable.',
		),
		backoffLimit: optional(
			int32,
			'Number of failed Pods that are retried: one more and the Job fails with reason BackoffLimitExceeded. Default 6, or no limit (2147483647) if backoffLimitPerIndex is set.',
		),
		backoffLimitPerIndex: optional(
			int32,
			'Number of failed Pods of an index that are retried: one more and the index fails, while others continue. Needs completionMode Indexed; use it with restartPolicy Never. No limit per index by default. Immutable.',
		),
		maxFailedIndexes: optional(
			int32,
			'Number of failed indexes that the Job tolerates: one more and it fails with reason MaxFailedIndexesExceeded. Needs backoffLimitPerIndex. By default all indexes run to their end. At most completions, and at most 100000.',
		),
		selector: optional(
			labelSelectorSchema,
			'Label selector for the Pods of the Job. The API server generates it from the UID of the Job unless manualSelector is true. Immutable.',
		),
		manualSelector: optional(
			boolean,
			'If true, the selector and the labels of the template are used as given, and must be unique to this Job. Default false: the API server generates them.',
		),
		template: required(
			podTemplateSpecSchema,
			'Template of the Pods that the job controller creates. restartPolicy must be Never or OnFailure. Immutable, except for scheduling and resources of a suspended Job.',
		),
		ttlSecondsAfterFinished: optional(
			int32,
			'Seconds after the end of the Job until it is deleted with its Pods. At 0 that is immediately. If unset, the Job is kept.',
		),
		completionMode: nullable(
			oneOf('NonIndexed', 'Indexed'),
			'NonIndexed: the Job is complete once completions Pods have succeeded. Indexed: once a Pod has succeeded for each index from 0 to completions - 1. Default NonIndexed. Immutable.',
		),
		suspend: optional(
			boolean,
			'If true, the job controller creates no Pods and deletes running ones until it is set to false. Default false.',
		),
		podReplacementPolicy: nullable(
			oneOf('Failed', 'TerminatingOrFailed'),
			'When a replacement is created. TerminatingOrFailed: as soon as a Pod fails or is being deleted. Failed: only once the Pod has ended. Default TerminatingOrFailed, or Failed with podFailurePolicy, which allows no other value.',
		),
		managedBy: nullable(
			string,
			'Controller that manages the Job, as a path with a domain: acme.io/foo. Unless it is kubernetes.io/job-controller, the built-in controller ignores the Job. At most 63 characters. Immutable.',
		),
	},
);

/** Desired state of a Job. */
export type JobSpec = Infer<typeof jobSpecSchema>;

const jobConditionSchema = object(
	'io.k8s.api.batch.v1.JobCondition',
	'One observation of the state of a Job.',
	{
		type: required(
			string,
			'Type of the condition: Complete, Failed, Suspended, FailureTarget or SuccessCriteriaMet.',
		),
		status: required(string, 'Whether the condition holds: True, False or Unknown.'),
		lastProbeTime: always(timeOrNull, 'Time at which the condition was last checked.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change, as one word in CamelCase.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

/** One observation of the state of a Job. */
export type JobCondition = Infer<typeof jobConditionSchema>;

const uncountedTerminatedPodsSchema = object(
	'io.k8s.api.batch.v1.UncountedTerminatedPods',
	'UIDs of finished Pods that the counters of the status do not include yet.',
	{
		succeeded: optional(setList(string), 'UIDs of the Pods that succeeded.'),
		failed: optional(setList(string), 'UIDs of the Pods that failed.'),
	},
);

/** UIDs of finished Pods that the counters of the status do not include yet. */
export type UncountedTerminatedPods = Infer<typeof uncountedTerminatedPodsSchema>;

/** Schema of batch/v1 JobStatus. */
export const jobStatusSchema = object(
	'io.k8s.api.batch.v1.JobStatus',
	'Observed state of a Job, written by the job controller.',
	{
		conditions: optional(
			list(jobConditionSchema, { mergeKey: 'type', patch: 'merge' }),
			"Latest observations of the Job's state: Complete, Failed, Suspended, FailureTarget and SuccessCriteriaMet.",
		),
		startTime: optional(
			time,
			'Time at which the job controller first acted on the Job. Cleared when the Job is suspended, and set again when it is resumed.',
		),
		completionTime: optional(time, 'Time at which the Job completed. Not set if the Job failed.'),
		active: omitZero(int32, 'Number of pending and running Pods that are not being deleted.'),
		succeeded: omitZero(int32, 'Number of Pods that reached phase Succeeded.'),
		failed: omitZero(int32, 'Number of Pods that reached phase Failed.'),
		terminating: optional(int32, 'Number of Pods that are being deleted and have not ended yet.'),
		completedIndexes: optional(
			string,
			'Indexes of an Indexed Job that succeeded, as numbers and ranges: 0,2-4.',
		),
		failedIndexes: nullable(
			string,
			'Indexes that failed, as numbers and ranges: 0,2-4. Set only if backoffLimitPerIndex is.',
		),
		uncountedTerminatedPods: optional(
			uncountedTerminatedPodsSchema,
			'UIDs of finished Pods that the counters do not include yet: the job controller lists them before it removes their finalizers, so that each Pod is counted exactly once.',
		),
		ready: optional(int32, 'Number of active Pods with condition Ready that are not being deleted.'),
	},
);

/** Observed state of a Job. */
export type JobStatus = Infer<typeof jobStatusSchema>;

/** Schema of batch/v1 Job. */
export const jobSchema = object(
	'io.k8s.api.batch.v1.Job',
	'Runs Pods until a given number of them have succeeded.',
	{
		apiVersion: required(string, 'Version of the API: batch/v1.'),
		kind: required(string, 'Kind of the object: Job.'),
		metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations and owners.'),
		spec: required(jobSpecSchema, 'Desired state of the Job, set by its author.'),
		status: required(jobStatusSchema, 'Observed state of the Job, written by the job controller.'),
	},
);

/** Runs Pods until a given number of them have succeeded. */
export type Job = Infer<typeof jobSchema>;
