import type { Job } from '../../../src/api/batch/job/schema.ts';
import type { Node } from '../../../src/api/core/node/schema.ts';
import { hasEnded } from '../../../src/api/core/pod/phase.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import { isConditionTrue } from '../../../src/api/meta/conditions.ts';
import { controllerOf } from '../../../src/api/meta/controller-reference.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import { timeOf } from '../../../src/api/meta/time.ts';
import { approximate } from '../../../src/base/json/json.ts';
import { isFinished } from '../../../src/plan/job/conditions.ts';
import { isTracked } from '../../../src/plan/job/pods/classify.ts';
import type { History } from './history.ts';
import type { Oracles } from './oracles.ts';
import type { InvariantNumber } from './violations.ts';

/**
 * The invariants of the state that a run must reach once no fault occurs any more. A difference is no
 * violation by itself: the world retries until its time is over, and only then reports the rest.
 */

/** A difference from the state that must be reached once no fault occurs; see violations.ts for the numbers. */
export interface Remainder {
	readonly invariant: InvariantNumber;
	readonly text: string;
}

/**
 * What differs from the final state of a run: all Jobs finished, deleted objects removed, no container
 * running.
 */
export function remainders(history: History, oracles: Oracles): readonly Remainder[] {
	// The casts are safe: the resource determines the type.
	const jobs = history.all('jobs') as unknown as readonly Job[];
	const pods = history.all('pods') as unknown as readonly Pod[];
	const others = history.all('cronjobs');
	return [
		...jobs.flatMap(remainderOfJob),
		...pods.flatMap((pod) => remainderOfPod(pod, history)),
		...[...jobs, ...pods, ...others].flatMap((object) => remainderOfObject(object, history)),
		...oracles.cronJobs.flatMap((oracle) =>
			oracle.remains().map((text) => ({ invariant: 16 as const, text })),
		),
		...oracles.pods.runningUids().flatMap((uid) => {
			const pod = history.get('pods', uid) as unknown as Pod | undefined;
			return pod && !hasEnded(pod)
				? []
				: [
						{
							invariant: 13 as const,
							text: `a container runs for Pod ${uid}, which has ended or is deleted`,
						},
					];
		}),
	];
}

/** The running machines whose Nodes are not Ready, or still have a condition taint (invariant 19). */
export function unreadyNodes(history: History, machines: readonly string[]): readonly Remainder[] {
	const nodes = history.all('nodes') as unknown as readonly Node[];
	return machines.flatMap((name) => {
		const node = nodes.find(({ metadata }) => metadata.name === name);
		const ready = isConditionTrue(node?.status.conditions, 'Ready');
		const taints = node?.spec.taints?.filter(({ key }) => key.startsWith('node.kubernetes.io/')) ?? [];
		const isCordoned = node?.spec.unschedulable && taints.every(({ key }) => key.endsWith('/unschedulable'));
		if (ready && (taints.length === 0 || isCordoned)) return [];
		return [{ invariant: 19 as const, text: `${name} is up, and its Node is ${JSON.stringify(node)}` }];
	});
}

/** How Jobs break invariant 22, once no fault has occurred and no user has changed them for a while. */
export function unsettledJobs(history: History, now: number): readonly Remainder[] {
	const jobs = history.all('jobs') as unknown as readonly Job[];
	const pods = history.all('pods') as unknown as readonly Pod[];
	return jobs.flatMap((job) => {
		const { metadata, spec, status } = job;
		if (metadata.deletionTimestamp) return [];
		const active = pods.filter((pod) => isActiveOf(pod, job)).length;
		// A Job without completions (a work queue) creates no Pods after the first success; its active ones continue.
		const most = spec.completions === undefined && status.succeeded ? active : (spec.parallelism ?? 1);
		const allowed = isFinished(job) || spec.suspend ? 0 : most;
		const text = `Job ${metadata.name} has ${active} active Pods, and ${allowed} are allowed`;
		const startedMs = timeOf(status.startTime) ?? now;
		const isLate = startedMs + (approximate(spec.activeDeadlineSeconds ?? 1e6) + LATE_SECONDS) * 1000 < now;
		const late = `Job ${metadata.name} is active beyond its deadline`;
		const orphans = isFinished(job) ? [] : pods.filter((pod) => isOrphanOf(pod, job));
		const isActive = !isFinished(job) && !spec.suspend && active > 0;
		return [
			...(active > allowed ? [{ invariant: 22, text }] : []),
			...orphans.map((pod) => ({ invariant: 22, text: `Pod ${pod.metadata.name} is not adopted` })),
			...(isLate && isActive ? [{ invariant: 22, text: late }] : []),
		];
	});
}

/** Whether the Job controller should adopt the Pod. */
function isOrphanOf({ metadata }: Pod, { spec }: Job): boolean {
	const labels = Object.entries(spec.selector?.matchLabels ?? {});
	const matches = labels.every(([label, value]) => metadata.labels?.[label] === value);
	const isFree = !metadata.ownerReferences?.some(({ controller }) => controller);
	return matches && isFree && metadata.deletionTimestamp === undefined;
}

const LATE_SECONDS = 5;

function isActiveOf(pod: Pod, job: Job): boolean {
	const isOwn = controllerOf(pod)?.uid === job.metadata.uid;
	return isOwn && !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** The Pods on a destroyed machine that no component has deleted (invariant 19). */
export function podsWithoutDeletion(history: History, machine: string): readonly Remainder[] {
	const pods = history.all('pods') as unknown as readonly Pod[];
	return pods
		.filter(({ spec, metadata }) => spec.nodeName === machine && metadata.deletionTimestamp === undefined)
		.filter((pod) => !hasEnded(pod))
		.map(({ metadata }) => ({
			invariant: 19,
			text: `Pod ${metadata.name} is not deleted from ${machine}, which is lost`,
		}));
}

function remainderOfJob(job: Job): readonly Remainder[] {
	const { suspend, parallelism } = job.spec;
	if (isFinished(job) || suspend || parallelism === 0) return [];
	return [{ invariant: 10, text: `Job ${job.metadata.name} has not ended: ${JSON.stringify(job.status)}` }];
}

function remainderOfPod(pod: Pod, history: History): readonly Remainder[] {
	const { name } = pod.metadata;
	const found: Remainder[] = [];
	if (!hasEnded(pod))
		found.push({ invariant: 10, text: `Pod ${name} has not ended: ${JSON.stringify(pod.status)}` });
	const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
	const job = owner && (history.get('jobs', owner.uid) as unknown as Job | undefined);
	if (isTracked(pod) && (!job || isFinished(job))) {
		found.push({
			invariant: 11,
			text: `Pod ${name} has the finalizer of a Job that has finished or is deleted`,
		});
	}
	return found;
}

function remainderOfObject({ kind, metadata }: KubeObject, history: History): readonly Remainder[] {
	const found: Remainder[] = [];
	const owners = metadata.ownerReferences ?? [];
	const exists = (uid: string): boolean =>
		history.get('jobs', uid) !== undefined || history.get('cronjobs', uid) !== undefined;
	if (owners.length > 0 && !owners.some(({ uid }) => exists(uid))) {
		found.push({ invariant: 12, text: `${kind} ${metadata.name} outlives its owner` });
	}
	if (metadata.deletionTimestamp)
		found.push({
			invariant: 12,
			text: `${kind} ${metadata.name} was deleted and still exists: ${JSON.stringify(metadata)}`,
		});
	return found;
}
