import type { Job, JobCondition, JobSpec, JobStatus } from '../../src/api/batch/job/schema.ts';
import type { Pod, PodStatus } from '../../src/api/core/pod/schema.ts';
import { controllerReferenceTo } from '../../src/api/meta/controller-reference.ts';
import type { ObjectMeta } from '../../src/api/meta/object-meta.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import { NO_HISTORY } from '../../src/plan/job/backoff.ts';
import type { JobPlan } from '../../src/plan/job/plan.ts';
import { planJob } from '../../src/plan/job/plan-job.ts';
import type { JobSnapshot } from '../../src/plan/job/snapshot.ts';

/** The time at which the plans of these tests are made, in ms since the epoch. */
export const NOW = Date.UTC(2026, 0, 31, 8, 0, 0);

export const TRACKING = 'batch.kubernetes.io/job-tracking';

/** The time `seconds` after NOW (negative: before), in the API's format. */
export function at(seconds: number): string {
	return formatTime(NOW + seconds * 1000);
}

/** A Job with the server's defaults: one completion, parallelism 1. */
export function makeJob(spec: Partial<JobSpec> = {}, status: JobStatus = {}, metadata: ObjectMeta = {}): Job {
	return {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name: 'pi', namespace: 'ns', uid: 'job-uid', generation: 1, ...metadata },
		spec: {
			parallelism: 1,
			completions: 1,
			backoffLimit: 6,
			completionMode: 'NonIndexed',
			suspend: false,
			podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
			selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'job-uid' } },
			template: {
				metadata: { labels: { 'batch.kubernetes.io/controller-uid': 'job-uid' } },
				spec: { restartPolicy: 'Never', containers: [{ name: 'main' }] },
			},
			...spec,
		},
		status,
	};
}

/** An Indexed Job whose parallelism is its number of completions. */
export function makeIndexed(completions: number, spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
	return makeJob({ completionMode: 'Indexed', completions, parallelism: completions, ...spec }, status);
}

/** How a test's Pod differs from a running, tracked Pod of `makeJob()`. */
export interface PodTraits {
	readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
	readonly index?: number | string;
	readonly untracked?: boolean;
	readonly ownerless?: boolean;
	readonly deleting?: boolean;
	readonly ready?: boolean;
	readonly restarts?: number;
	/** How many seconds after NOW it finished. */
	readonly finished?: number;
	readonly exitCode?: number;
	/** The failure count of its index before this Pod. */
	readonly failures?: number;
	readonly labels?: Readonly<Record<string, string>>;
}

export function makePod(name: string, traits: PodTraits = {}): Pod {
	const { phase = 'Running', index, finished = 0, failures } = traits;
	const annotations = {
		...(index !== undefined && { 'batch.kubernetes.io/job-completion-index': `${index}` }),
		...(failures !== undefined && { 'batch.kubernetes.io/job-index-failure-count': `${failures}` }),
	};
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: {
			name,
			namespace: 'ns',
			uid: `${name}-uid`,
			creationTimestamp: at(-100),
			labels: traits.labels ?? { 'batch.kubernetes.io/controller-uid': 'job-uid' },
			annotations,
			...(!traits.ownerless && { ownerReferences: [controllerReferenceTo(makeJob())] }),
			...(!traits.untracked && { finalizers: [TRACKING] }),
			...(traits.deleting && { deletionTimestamp: at(finished + 30), deletionGracePeriodSeconds: 30 }),
		},
		spec: { containers: [{ name: 'main' }], nodeName: 'node' },
		status: statusOf(phase, traits, finished),
	};
}

function statusOf(phase: NonNullable<PodTraits['phase']>, traits: PodTraits, finished: number): PodStatus {
	const ended = phase === 'Succeeded' || phase === 'Failed';
	const exitCode = traits.exitCode ?? (phase === 'Failed' ? 1 : 0);
	const state = ended ? { terminated: { exitCode, finishedAt: at(finished) } } : { running: {} };
	const container = {
		name: 'main',
		ready: false,
		restartCount: traits.restarts ?? 0,
		image: '',
		imageID: '',
		state,
	};
	return {
		phase,
		...(traits.ready && { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(-50) }] }),
		containerStatuses: [container],
	};
}

/** A condition with status True. */
export function condition(type: string, reason: string, message: string, time = at(0)): JobCondition {
	return { type, status: 'True', lastProbeTime: time, lastTransitionTime: time, reason, message };
}

export function plan(job: Job, pods: readonly Pod[] = [], more: Partial<JobSnapshot> = {}): JobPlan {
	return planJob({ job, pods, orphans: [], now: NOW, backoff: NO_HISTORY, ...more });
}

/** The acts of a plan alone, with Pods by name and conditions by type and reason. */
export function acts(of: JobPlan): Readonly<Record<string, unknown>> {
	const names = (list: readonly { readonly pod: Pod }[]) => list.map(({ pod }) => pod.metadata.name ?? '');
	const short: Record<string, unknown> = {};
	if (of.adopt.length) short.adopt = names(of.adopt);
	if (of.release.length) short.release = names(of.release);
	if (of.remove.length) short.remove = names(of.remove);
	if (of.delete.length) short.delete = names(of.delete);
	if (of.create.length) short.create = of.create.map(({ pod }) => pod.metadata.generateName);
	if (of.takeFinalizers.length) short.take = names(of.takeFinalizers);
	if (of.lookAgainMs !== undefined) short.lookAgainMs = of.lookAgainMs;
	const ends = conditionsOf(of.status);
	if (ends.length) short.status = ends;
	const settledEnds = conditionsOf(of.settled).slice(ends.length);
	if (settledEnds.length) short.settled = settledEnds;
	return short;
}

/** The conditions as `type reason`; those with status False as `!type reason`. */
export function conditionsOf(status: JobStatus | undefined): readonly string[] {
	return (status?.conditions ?? []).map(
		({ type, status: truth, reason }) => `${truth === 'True' ? '' : '!'}${type} ${reason}`,
	);
}
