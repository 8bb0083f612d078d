import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { mountRetryMs } from '../../plan/pod/inputs/mount-events.ts';
import { WHOLE_POD } from '../../plan/pod/snapshot.ts';
import type { PodInputs } from './inputs.ts';
import type { FailedStart, StartBackoffs } from './start-backoffs.ts';

/** The components of {@link MountSteps}. */
export interface MountStepsOptions {
	readonly inputs: PodInputs;
	readonly backoffs: StartBackoffs;
	record(pod: Pod, events: readonly EventText[]): void;
}

/** The reasons of failures that a change of a Pod's inputs may end. */
const INPUT_FAILURES: ReadonlySet<string> = new Set(['FailedMount', 'CreateContainerConfigError']);

/** The steps of a Pod's worker that concern its volumes and other inputs, with their events and backoffs. */
export class MountSteps {
	readonly #options: MountStepsOptions;

	constructor(options: MountStepsOptions) {
		this.#options = options;
	}

	/** Sets up the volumes of a Pod before its sandbox is created. Resolves to false after a failure. */
	async setUp(pod: Pod): Promise<boolean> {
		const { inputs, backoffs } = this.#options;
		const { uid = '' } = pod.metadata;
		const changes = inputs.changesOf(uid);
		const { events, hasClaimFailure } = await inputs.setUpVolumes(pod, { inUse: false });
		if (events.length === 0) return true;
		const failures = (backoffs.of(uid).get(WHOLE_POD)?.failures ?? 0) + 1;
		this.fail(pod, events, { retryAfterMs: mountRetryMs(failures, hasClaimFailure) });
		this.retryIfChanged(uid, changes);
		return false;
	}

	/** Records the events about volumes and starts the backoff, with the first message for the waiting containers. */
	fail(pod: Pod, events: readonly EventText[], backoff: Pick<FailedStart, 'retryAfterMs'> = {}): void {
		this.#options.record(pod, events);
		const failure = { reason: 'FailedMount', message: events[0]?.message ?? '', ...backoff };
		this.#options.backoffs.note(pod.metadata.uid ?? '', WHOLE_POD, failure);
	}

	/** Retries at once what has failed for want of inputs, after one of them has changed. */
	retryNow(podUid: string): void {
		this.#options.backoffs.retryNow(podUid, INPUT_FAILURES);
	}

	/** The same if an input has changed during a step that has failed, which may not have seen the change. */
	retryIfChanged(podUid: string, changesBefore: number): void {
		if (this.#options.inputs.changesOf(podUid) !== changesBefore) this.retryNow(podUid);
	}

	/**
	 * Writes the files of the volumes of a running Pod again if what they are made from has changed. A volume that cannot
	 * be made any more keeps its files, and its event is recorded; the next change is the next try.
	 */
	async refresh(pod: Pod): Promise<void> {
		const { inputs, record } = this.#options;
		if (!inputs.isStale(pod)) return;
		const { events } = await inputs.setUpVolumes(pod, { inUse: true });
		record(pod, events);
	}
}
