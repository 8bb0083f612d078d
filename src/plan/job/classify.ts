import type { Job } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { COMPLETION_INDEX, TRACKING_FINALIZER } from './identifiers.ts';

/**
 * The category of a Pod for the counts of its Job.
 * - `succeeded`, `failed`: the Pod has ended, with this phase.
 * - `lost`: the Pod is being deleted and counts as failed, so that a replacement is created at once.
 * - `terminating`: the Pod is being deleted; it is counted by its phase when it has ended.
 * - `active`: the Pod is pending or running.
 */
export type Standing = 'succeeded' | 'failed' | 'lost' | 'terminating' | 'active';

/** A Pod with the properties that the rules use. */
export interface PodView {
	readonly pod: Pod;
	readonly uid: string;
	readonly standing: Standing;
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

interface Row {
	readonly standing: Standing;
	readonly because: string;
	applies(pod: Pod, replacesOnlyEnded: boolean): boolean;
}

/** First match wins; {@link OTHERWISE} is the row below the last. */
const STANDINGS: readonly Row[] = [
	{
		standing: 'succeeded',
		because: 'its phase is Succeeded',
		applies: ({ status }) => status.phase === 'Succeeded',
	},
	{ standing: 'failed', because: 'its phase is Failed', applies: ({ status }) => status.phase === 'Failed' },
	{
		standing: 'terminating',
		because: 'it is being deleted and the Job waits for its end (podReplacementPolicy Failed)',
		applies: ({ metadata }, replacesOnlyEnded) =>
			metadata.deletionTimestamp !== undefined && replacesOnlyEnded,
	},
	{
		standing: 'lost',
		because: 'it is being deleted and counts as failed (podReplacementPolicy TerminatingOrFailed)',
		applies: ({ metadata }) => metadata.deletionTimestamp !== undefined,
	},
];

const OTHERWISE: Row = {
	standing: 'active',
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
	const row = STANDINGS.find((each) => each.applies(pod, replacesOnlyEnded)) ?? OTHERWISE;
	const index = completions === undefined ? undefined : completionIndexOf(pod);
	return {
		pod,
		uid: pod.metadata.uid ?? '',
		standing: row.standing,
		because: row.because,
		tracked: isTracked(pod),
		index,
		countable: completions === undefined || (index !== undefined && index < completions),
		ready: row.standing === 'active' && isReady(pod),
	};
}

/** Whether the Pod counts as failed: it has failed, or it is being deleted under TerminatingOrFailed. */
export function countsAsFailed({ standing }: PodView): boolean {
	return standing === 'failed' || standing === 'lost';
}

/** Whether the Pod is being deleted and has not ended. */
export function isTerminating({ standing }: PodView): boolean {
	return standing === 'lost' || standing === 'terminating';
}

/** Whether the Job's Pods are replaced only once they have ended; a failure policy implies it. */
export function replacesOnlyEndedPods({ spec }: Job): boolean {
	return spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined;
}

/** Whether the Job's Pods have completion indexes. */
export function isIndexed({ spec }: Job): boolean {
	return spec.completionMode === 'Indexed';
}

/** Whether the Pod holds the tracking finalizer. */
export function isTracked({ metadata }: Pod): boolean {
	return metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false;
}

/** Whether the Pod's phase is one it never leaves. */
export function hasEnded({ status }: Pod): boolean {
	return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** The completion index that the Pod's annotation names, or undefined when it names none. */
export function completionIndexOf({ metadata }: Pod): number | undefined {
	return wholeNumber(metadata.annotations?.[COMPLETION_INDEX]);
}

/** A count or index as an annotation holds it: users can write anything there. */
export function wholeNumber(text: string | undefined): number | undefined {
	return text !== undefined && /^\d{1,10}$/.test(text) ? Math.min(Number(text), 2 ** 31 - 1) : undefined;
}

/** Whether the Pod's Ready condition is true. */
export function isReady({ status }: Pod): boolean {
	return (
		status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
	);
}
