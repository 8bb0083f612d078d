import { COMPLETION_INDEX, TRACKING_FINALIZER } from '../../../api/batch/job/labels.ts';
import type { Job } from '../../../api/batch/job/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';

/**
 * The category of a Pod for the counts of its Job.
 * - `succeeded`, `failed`: the Pod has ended, with this phase.
 * - `lost`: the Pod is being deleted and counts as failed, so that a replacement is created at once.
 * - `terminating`: the Pod is being deleted; it is counted by its phase when it has ended.
 * - `active`: the Pod is pending or running.
 */
export type PodCategory = 'succeeded' | 'failed' | 'lost' | 'terminating' | 'active';

/** A Pod with the properties that the rules use. */
export interface PodView {
	readonly pod: Pod;
	readonly uid: string;
	readonly category: PodCategory;
	readonly because: string;
	/** Whether it has the tracking finalizer: the Job has not finished counting it. */
	readonly tracked: boolean;
	/**
	 * The completion index of the Pod, which may be beyond the Job's completions now; undefined if it has none.
	 */
	readonly index: number | undefined;
	/** Whether it may be counted: the Job has no indexes, or has the Pod's index. */
	readonly countable: boolean;
	/** Whether it is active and its Ready condition is True. */
	readonly ready: boolean;
}

/** A row of the table: a category, its reason, and the condition for it. */
interface Row {
	readonly category: PodCategory;
	readonly because: string;
	applies(pod: Pod, replacesOnlyEnded: boolean): boolean;
}

/**
 * The first matching row decides; {@link ACTIVE} is the default. The phase comes first: a Pod that has ended
 * keeps its result, even if it is being deleted.
 */
const CATEGORIES: readonly Row[] = [
	{
		category: 'succeeded',
		because: 'its phase is Succeeded',
		applies: ({ status }) => status.phase === 'Succeeded',
	},
	{ category: 'failed', because: 'its phase is Failed', applies: ({ status }) => status.phase === 'Failed' },
	{
		category: 'terminating',
		because: 'it is being deleted and the Job waits for its end (podReplacementPolicy Failed)',
		applies: ({ metadata }, replacesOnlyEnded) =>
			metadata.deletionTimestamp !== undefined && replacesOnlyEnded,
	},
	{
		category: 'lost',
		because: 'it is being deleted and counts as failed (podReplacementPolicy TerminatingOrFailed)',
		applies: ({ metadata }) => metadata.deletionTimestamp !== undefined,
	},
];

const ACTIVE: Row = {
	category: 'active',
	because: 'it has neither ended nor been deleted',
	applies: () => true,
};

/** Classifies each Pod by the rules of its Job. */
export function viewPods(job: Job, pods: readonly Pod[]): readonly PodView[] {
	const replacesOnlyEnded = replacesOnlyEndedPods(job);
	const completions = isIndexed(job) ? (job.spec.completions ?? 0) : undefined;
	return pods.map((pod) => viewPod(pod, replacesOnlyEnded, completions));
}

function viewPod(pod: Pod, replacesOnlyEnded: boolean, completions: number | undefined): PodView {
	const row = CATEGORIES.find((each) => each.applies(pod, replacesOnlyEnded)) ?? ACTIVE;
	const index = completions === undefined ? undefined : completionIndexOf(pod);
	return {
		pod,
		uid: pod.metadata.uid ?? '',
		category: row.category,
		because: row.because,
		tracked: isTracked(pod),
		index,
		countable: completions === undefined || (index !== undefined && index < completions),
		ready: row.category === 'active' && isReady(pod),
	};
}

/** Whether the Pod counts as failed: it has failed, or it is being deleted under TerminatingOrFailed. */
export function countsAsFailed({ category }: PodView): boolean {
	return category === 'failed' || category === 'lost';
}

/** Whether the Pod is being deleted and has not ended. */
export function countsAsTerminating({ category }: PodView): boolean {
	return category === 'lost' || category === 'terminating';
}

/** Whether the Job creates no replacement for the Pod yet: it is being deleted and the Job waits for its end. */
export function holdsItsPlace({ category }: PodView): boolean {
	return category === 'terminating';
}

/**
 * Whether the Job replaces a Pod under deletion only when it has ended. A pod failure policy implies that,
 * because its rules need the exit codes and conditions of the end (upstream: onlyReplaceFailedPods). All rules about
 * podReplacementPolicy ask this function or the categories that follow from it.
 */
export function replacesOnlyEndedPods({ spec }: Job): boolean {
	return spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined;
}

/** Whether the Job's Pods have completion indexes. */
export function isIndexed({ spec }: Job): boolean {
	return spec.completionMode === 'Indexed';
}

/** Whether the Pod has the tracking finalizer. */
export function isTracked({ metadata }: Pod): boolean {
	return metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false;
}

/** The completion index in the Pod's annotation; undefined if it is missing or invalid. */
export function completionIndexOf({ metadata }: Pod): number | undefined {
	return wholeNumber(metadata.annotations?.[COMPLETION_INDEX]);
}

/** The count or index in an annotation; undefined if it is invalid, because users can write any text there. */
export function wholeNumber(text: string | undefined): number | undefined {
	return text !== undefined && /^\d{1,10}$/.test(text) ? Math.min(Number(text), 2 ** 31 - 1) : undefined;
}

/** Whether the Pod's Ready condition is True. */
export function isReady({ status }: Pod): boolean {
	return isConditionTrue(status.conditions, 'Ready');
}

/** The number of restarts of all containers of the Pod, init containers included. */
export function restartCountOf({ status }: Pod): number {
	let restarts = 0;
	for (const { restartCount } of status.containerStatuses ?? []) restarts += restartCount;
	for (const { restartCount } of status.initContainerStatuses ?? []) restarts += restartCount;
	return restarts;
}
