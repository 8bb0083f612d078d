import type { Job, JobCondition } from '../api/batch/job/schema.ts';
import { findCondition } from '../api/meta/conditions.ts';
import { addNumber, addTime, type Sample, type StateFamily } from './state-family.ts';

/**
 * The metrics of kube-state-metrics 2.20 for Jobs (upstream: internal/store/job.go).
 *
 * kube_job_labels and kube_job_annotations are left out. Upstream exports them empty unless the operator lists
 * the labels to show with --metric-labels-allowlist; this program has no such flag.
 */
export const JOB_FAMILIES: readonly StateFamily<Job>[] = [
	{ name: 'kube_job_info', help: 'Information about the Job. Always 1.', read: (_, sample) => sample(1) },
	{
		name: 'kube_job_created',
		help: 'Creation time of the Job, in seconds since the Unix epoch.',
		read: ({ metadata }, sample) => addTime(metadata.creationTimestamp, sample),
	},
	{
		name: 'kube_job_spec_parallelism',
		help: 'Maximum number of Pods that the Job may run at the same time.',
		read: ({ spec }, sample) => addNumber(spec.parallelism, sample),
	},
	{
		name: 'kube_job_spec_completions',
		help: 'Number of successful Pods that the Job needs to complete.',
		read: ({ spec }, sample) => addNumber(spec.completions, sample),
	},
	{
		name: 'kube_job_spec_active_deadline_seconds',
		help: 'Number of seconds that the Job may be active before the controller fails it.',
		read: ({ spec }, sample) => addNumber(spec.activeDeadlineSeconds, sample),
	},
	{
		name: 'kube_job_status_succeeded',
		help: 'Number of Pods of the Job that have succeeded.',
		read: ({ status }, sample) => sample(status.succeeded ?? 0),
	},
	{
		name: 'kube_job_status_failed',
		help: 'Number of Pods of the Job that have failed. If the Job failed with one of the listed reasons: 1 for that reason, 0 for the others.',
		read: readFailures,
	},
	{
		name: 'kube_job_status_active',
		help: 'Number of Pods of the Job that are pending or running.',
		read: ({ status }, sample) => sample(status.active ?? 0),
	},
	{
		name: 'kube_job_status_ready',
		help: 'Number of Pods of the Job that are ready.',
		read: ({ status }, sample) => sample(status.ready ?? 0),
	},
	{
		name: 'kube_job_complete',
		help: 'Whether the Job has completed, as the status of its Complete condition.',
		read: ({ status }, sample) => condition(findCondition(status.conditions, 'Complete'), sample),
	},
	{
		name: 'kube_job_failed',
		help: 'Whether the Job has failed, as the status of its Failed condition.',
		read: ({ status }, sample) => condition(findCondition(status.conditions, 'Failed'), sample),
	},
	{
		name: 'kube_job_status_start_time',
		help: 'Start time of the Job, in seconds since the Unix epoch.',
		read: ({ status }, sample) => addTime(status.startTime, sample),
	},
	{
		name: 'kube_job_status_completion_time',
		help: 'Completion time of the Job, in seconds since the Unix epoch. No sample if the Job failed.',
		read: ({ status }, sample) => addTime(status.completionTime, sample),
	},
	{
		name: 'kube_job_status_suspended',
		help: '1 if the Job is suspended, 0 if it was resumed. No sample if it was never suspended.',
		read: ({ status }, sample) => {
			const suspended = findCondition(status.conditions, 'Suspended');
			if (suspended) sample(suspended.status === 'True' ? 1 : 0);
		},
	},
	{
		name: 'kube_job_owner',
		help: 'Owner references of the Job, one sample each. A single sample with empty labels if it has none.',
		read: readOwners,
	},
];

/** The reasons of the Failed condition that get their own sample (upstream: jobFailureReasons). */
const FAILURE_REASONS: readonly string[] = ['BackoffLimitExceeded', 'DeadlineExceeded', 'Evicted'];

/**
 * Follows upstream exactly, although it gives one metric two meanings: a count of Pods, and a flag for each
 * listed reason once the Job has failed with one of them. Dashboards depend on both.
 */
function readFailures({ status }: Job, sample: Sample): void {
	if (!status.failed) {
		sample(0);
		return;
	}
	const reason = findCondition(status.conditions, 'Failed')?.reason;
	if (reason !== undefined) {
		for (const each of FAILURE_REASONS) sample(each === reason ? 1 : 0, { reason: each });
	}
	if (reason === undefined || !FAILURE_REASONS.includes(reason)) sample(status.failed, { reason: '' });
}

function readOwners({ metadata }: Job, sample: Sample): void {
	const owners = metadata.ownerReferences ?? [];
	if (owners.length === 0) sample(1, { owner_kind: '', owner_name: '', owner_is_controller: '' });
	for (const { kind, name, controller } of owners) {
		sample(1, { owner_kind: kind, owner_name: name, owner_is_controller: String(controller ?? false) });
	}
}

/** Gives one sample for each status that a condition can have: 1 for the current one, 0 for the others. */
function condition(found: JobCondition | undefined, sample: Sample): void {
	if (!found) return;
	for (const status of ['True', 'False', 'Unknown']) {
		sample(found.status === status ? 1 : 0, { condition: status.toLowerCase() });
	}
}
