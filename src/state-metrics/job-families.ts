import type { Job, JobCondition } from '../api/batch/job/schema.ts';
import { findCondition } from '../plan/job/conditions.ts';
import { known, type Sample, type StateFamily, seconds } from './state-family.ts';

/**
 * What kube-state-metrics (2.20) shows of Jobs. Its kube_job_labels and kube_job_annotations are empty
 * unless somebody lists the labels to show, which cannot be done here, so they are left out.
 */
export const JOB_FAMILIES: readonly StateFamily<Job>[] = [
	{ name: 'kube_job_info', help: 'The Job is there.', read: (_, sample) => sample(1) },
	{
		name: 'kube_job_created',
		help: 'When the Job was created, in seconds since 1970.',
		read: ({ metadata }, sample) => seconds(metadata.creationTimestamp, sample),
	},
	{
		name: 'kube_job_spec_parallelism',
		help: 'How many Pods may run at once.',
		read: ({ spec }, sample) => known(spec.parallelism, sample),
	},
	{
		name: 'kube_job_spec_completions',
		help: 'How many Pods have to succeed.',
		read: ({ spec }, sample) => known(spec.completions, sample),
	},
	{
		name: 'kube_job_spec_active_deadline_seconds',
		help: 'How long the Job may be active.',
		read: ({ spec }, sample) => known(spec.activeDeadlineSeconds, sample),
	},
	{
		name: 'kube_job_status_succeeded',
		help: 'How many Pods have succeeded.',
		read: ({ status }, sample) => sample(status.succeeded ?? 0),
	},
	{
		name: 'kube_job_status_failed',
		help: 'How many Pods have failed; once the Job has failed for a reason of those listed, 1 for it and 0 for the others.',
		read: readFailures,
	},
	{
		name: 'kube_job_status_active',
		help: 'How many Pods run or will run.',
		read: ({ status }, sample) => sample(status.active ?? 0),
	},
	{
		name: 'kube_job_status_ready',
		help: 'How many Pods are ready.',
		read: ({ status }, sample) => sample(status.ready ?? 0),
	},
	{
		name: 'kube_job_complete',
		help: 'Whether the Job has succeeded.',
		read: ({ status }, sample) => condition(findCondition(status.conditions, 'Complete'), sample),
	},
	{
		name: 'kube_job_failed',
		help: 'Whether the Job has failed.',
		read: ({ status }, sample) => condition(findCondition(status.conditions, 'Failed'), sample),
	},
	{
		name: 'kube_job_status_start_time',
		help: 'When the Job was started, in seconds since 1970.',
		read: ({ status }, sample) => seconds(status.startTime, sample),
	},
	{
		name: 'kube_job_status_completion_time',
		help: 'When the Job succeeded, in seconds since 1970.',
		read: ({ status }, sample) => seconds(status.completionTime, sample),
	},
	{
		name: 'kube_job_status_suspended',
		help: 'Whether the Job is suspended, once it has been.',
		read: ({ status }, sample) => {
			const suspended = findCondition(status.conditions, 'Suspended');
			if (suspended) sample(suspended.status === 'True' ? 1 : 0);
		},
	},
	{
		name: 'kube_job_owner',
		help: 'What the Job belongs to; with empty labels if to nothing.',
		read: readOwners,
	},
];

/** The reasons of failed Jobs that have a sample of their own. */
const FAILURE_REASONS: readonly string[] = ['BackoffLimitExceeded', 'DeadlineExceeded', 'Evicted'];

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

/** A sample for each truth value that a condition can have. */
function condition(found: JobCondition | undefined, sample: Sample): void {
	if (!found) return;
	for (const status of ['True', 'False', 'Unknown']) {
		sample(found.status === status ? 1 : 0, { condition: status.toLowerCase() });
	}
}
