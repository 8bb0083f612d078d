import { DEFAULT_PARALLELISM } from '../../api/batch/job/defaults.ts';
import { finishTime, remainingBackoffMs, remainingMs } from './backoff.ts';
import type { CreationReason, PodAct, PodCreation, SyncAction } from './plan.ts';
import { holdsItsPlace, type PodView, replacesOnlyEndedPods } from './pods/classify.ts';
import { PodMaker } from './pods/pod-template.ts';
import { compareForRemoval } from './pods/removal-order.ts';
import { type IndexView, type JobView, totalFailures } from './pods/view.ts';

/** The Pods to remove and to create so that the wanted number is active. */
export interface Management {
	readonly action: SyncAction;
	readonly remove: readonly PodAct[];
	readonly create: readonly PodCreation[];
	/**
	 * Milliseconds after which more Pods must be removed or created; undefined if only a change requires that.
	 */
	readonly lookAgainMs?: number;
	readonly because: string;
}

/**
 * Maximum number of Pods that one plan creates or removes, so that a large Job does not starve others. The
 * value is upstream's MaxPodCreateDeletePerSync.
 */
export const MOST_PODS_PER_PLAN = 500;

/**
 * Plans the Pods of a Job that has not reached an end state (upstream: manageJob). One plan never both removes
 * and creates Pods: the removal must succeed first, or more Pods than wanted would be active.
 */
export function managePods(view: JobView): Management {
	if (view.job.spec.suspend) return removal(view.active, 'the Job is suspended');
	const wanted = wantActive(view);
	const excess = findExcess(view, view.active.length - wanted);
	if (excess.length > 0) return capped(removal(excess, `${wanted} active Pods are wanted`));
	const awaited = view.pods.filter(holdsItsPlace).length;
	const missing = wanted - awaited - view.active.length;
	if (missing <= 0) {
		return {
			action: 'tracking',
			remove: [],
			create: [],
			because: `${wanted} active Pods are wanted and exist`,
		};
	}
	return createMissing(view, missing);
}

/** The number of Pods that should be active. */
function wantActive({ job, active, succeeded }: JobView): number {
	const { completions, parallelism = DEFAULT_PARALLELISM } = job.spec;
	// A work queue Job (no completions) starts no Pod after the first success; running Pods may finish.
	if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
	return Math.max(0, Math.min(parallelism, completions - succeeded));
}

function removal(pods: readonly PodView[], because: string): Management {
	return { action: 'pods_deleted', remove: pods.map(({ pod }) => ({ pod, because })), create: [], because };
}

function capped(management: Management): Management {
	if (management.remove.length <= MOST_PODS_PER_PLAN) return management;
	return { ...management, remove: management.remove.slice(0, MOST_PODS_PER_PLAN), lookAgainMs: 0 };
}

/**
 * The Pods to remove: first those that cannot be counted, then those whose index is invalid or used by another
 * Pod, then as many more as make `atLeast` in total. An active Pod without the tracking finalizer is one whose
 * removal was interrupted after the first write. If it were kept, it could succeed without being counted, and
 * another Pod would repeat its work.
 */
function findExcess({ active, indexes }: JobView, atLeast: number): readonly PodView[] {
	const untracked = active.filter(({ tracked }) => !tracked);
	const tracked = untracked.length === 0 ? active : active.filter((view) => view.tracked);
	const { misplaced, rest } = indexes ? splitByIndex(tracked) : { misplaced: [], rest: tracked };
	const first = [...untracked, ...misplaced];
	const more = atLeast - first.length;
	if (more <= 0) return first;
	const inOrder = [...rest].sort((a, b) => compareForRemoval(a.pod, b.pod));
	return [...first, ...inOrder.slice(0, more)];
}

/**
 * Of several active Pods with the same index, the one that has progressed furthest is kept (see
 * removal-order.ts).
 */
function splitByIndex(active: readonly PodView[]): {
	readonly misplaced: readonly PodView[];
	readonly rest: readonly PodView[];
} {
	const misplaced: PodView[] = [];
	const kept = new Map<number, PodView>();
	for (const view of active) {
		if (!view.countable || view.index === undefined) {
			misplaced.push(view);
			continue;
		}
		const rival = kept.get(view.index);
		const viewStays = !rival || compareForRemoval(rival.pod, view.pod) <= 0;
		if (rival) misplaced.push(viewStays ? rival : view);
		if (viewStays) kept.set(view.index, view);
	}
	return { misplaced, rest: [...kept.values()] };
}

function createMissing(view: JobView, missing: number): Management {
	const { indexes, backoff, now } = view;
	if (!indexes?.perIndex) {
		const waitMs = remainingBackoffMs(backoff, now);
		if (waitMs > 0) {
			const because = `${backoff.failures.length} failures in a row: replacements wait ${waitMs} ms`;
			return { action: 'pods_created', remove: [], create: [], lookAgainMs: waitMs, because };
		}
	}
	const count = Math.min(missing, MOST_PODS_PER_PLAN);
	const management: Management = indexes
		? createForIndexes(view, indexes, count)
		: createPlain(view, count, `${missing} more active Pods are wanted`);
	const hasMore = missing > count && management.create.length > 0;
	return hasMore ? { ...management, lookAgainMs: 0 } : management;
}

function createPlain(view: JobView, count: number, because: string): Management {
	const maker = new PodMaker(view.job);
	const reason = creationReason(view);
	const create = Array.from({ length: count }, () => ({ pod: maker.plain(), because, reason }));
	return { action: 'pods_created', remove: [], create, because };
}

/**
 * One reason for all Pods of a plan, because there is no mapping from new Pods to the ones that they replace.
 */
function creationReason({ job, failed, terminating }: JobView): CreationReason {
	if (replacesOnlyEndedPods(job) && failed > 0) return 'recreate_failed';
	return failed > 0 || terminating > 0 ? 'recreate_terminating_or_failed' : 'new';
}

/**
 * Creates Pods for the lowest pending indexes. As upstream, the first `count` indexes are selected and then
 * those that are in backoff are skipped. So an index in backoff is not overtaken by higher ones beyond the
 * limit.
 */
function createForIndexes(view: JobView, indexes: IndexView, count: number): Management {
	const create: PodCreation[] = [];
	const maker = new PodMaker(view.job);
	const reason = creationReason(view);
	let lookAgainMs: number | undefined;
	for (const index of firstPending(view, indexes, count)) {
		const last = indexes.perIndex?.lastFailed.get(index);
		const waitMs = last ? remainingMs(totalFailures(last.pod) + 1, finishTime(last.pod), view.now) : 0;
		if (waitMs > 0) lookAgainMs = Math.min(lookAgainMs ?? waitMs, waitMs);
		else create.push({ pod: maker.forIndex(index, last?.pod), because: `index ${index} is pending`, reason });
	}
	const because = `${create.length} indexes can start${lookAgainMs === undefined ? '' : ', others are in backoff'}`;
	return {
		action: 'pods_created',
		remove: [],
		create,
		because,
		...(lookAgainMs !== undefined && { lookAgainMs }),
	};
}

/** The lowest `count` indexes without an active Pod that have neither completed nor failed. */
function firstPending({ pods, active }: JobView, indexes: IndexView, count: number): readonly number[] {
	const busy = new Set<number>();
	for (const { index } of active) if (index !== undefined) busy.add(index);
	for (const view of pods) if (view.index !== undefined && holdsItsPlace(view)) busy.add(view.index);
	const found: number[] = [];
	for (let index = 0; index < indexes.completions && found.length < count; index++) {
		if (!busy.has(index) && !indexes.completed.has(index) && !indexes.perIndex?.failed.has(index))
			found.push(index);
	}
	return found;
}
