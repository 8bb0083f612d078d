import type { Job, JobStatus } from '../../../src/api/batch/job/schema.ts';
import { hasEnded } from '../../../src/api/core/pod/phase.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import { isConditionTrue } from '../../../src/api/meta/conditions.ts';
import { semanticEqual } from '../../../src/api/schema/equality.ts';
import { isFinished } from '../../../src/plan/job/conditions.ts';
import { IndexSet } from '../../../src/plan/job/index-set.ts';
import { completionIndexOf, isIndexed, isTracked } from '../../../src/plan/job/pods/classify.ts';
import { verdictOn } from './failure-verdict.ts';
import { doubtOfEnd, reasonToEnd } from './job-end.ts';
import { earliestReplacement, endOf } from './replacement-pace.ts';
import type { Violations } from './violations.ts';

/** What the Job controller can have known when it made the decision whose effect is in the store now. */
export interface Knowledge {
	/** The time now. */
	now(): number;
	/** The versions of the Job that the controller can have used for its decision. */
	versions(jobUid: string): readonly Job[];
	/**
	 * Whether the controller had received the Pod's end early enough to use it for its decision. With `strictly`
	 * an end that it received at this very instant does not count: it may have decided before that.
	 */
	knewOfEnd(podUid: string, strictly: boolean): boolean;
}

/** What a {@link JobOracle} needs. */
export interface JobOracleOptions {
	readonly violations: Violations;
	readonly knowledge: Knowledge;
}

/**
 * Judges every stored change of one Job and of its Pods, from the store's contents alone (invariants 1 to 5
 * and 21 of violations.ts). "Recorded" is a Pod whose end the Job's status contains, in
 * uncountedTerminatedPods, in a count or as an index; "released" is one that has lost the tracking finalizer.
 */
export class JobOracle {
	readonly #violations: Violations;
	readonly #knowledge: Knowledge;
	readonly #pods = new Map<string, Pod>();
	/** How each Pod's end was recorded. An Indexed Job records successes by their index alone. */
	readonly #recorded = new Map<string, 'succeeded' | 'failed'>();
	/** The indexes of the Pods that have succeeded, by UID, deleted Pods included. */
	readonly #successes = new Map<string, number>();
	/**
	 * Indexes of which a Pod was released without being counted. The failure count that the Pod carried in its
	 * annotation is lost with it, so the limit per index cannot be checked.
	 */
	readonly #uncertain = new Set<number>();
	/** Pods that were released before their end because the controller deleted them: their end does not count. */
	readonly #releasedEarly = new Set<string>();
	/** When the last Pod that succeeded ended, in ms since the epoch; 0 before the first. */
	#lastSuccessMs = 0;
	/** The lowest `completions` so far: the Job once dropped all indexes from here on, so they may run again. */
	#lowestCompletions = Number.POSITIVE_INFINITY;
	#job: Job;
	#isGone = false;

	constructor(job: Job, { violations, knowledge }: JobOracleOptions) {
		this.#job = job;
		this.#violations = violations;
		this.#knowledge = knowledge;
		this.#recordCompletions(job);
	}

	/** The current version of the Job, or the last one before its deletion. */
	get job(): Job {
		return this.#job;
	}

	get isGone(): boolean {
		return this.#isGone;
	}

	/** The Job has been updated. */
	jobChanged(job: Job): void {
		const old = this.#job;
		this.#job = job;
		this.#recordCompletions(job);
		if (semanticEqual(old.status, job.status)) return;
		this.#check(!isFinished(old), 4, 'the status of a finished Job changes');
		this.#checkTerminal(old, job);
		this.#checkRecorded(old.status, job.status, 'failed');
		if (isIndexed(job)) this.#checkIndexes(old.status, job);
		else this.#checkRecorded(old.status, job.status, 'succeeded');
		this.#checkEnd(old, job);
		this.#checkLimitPerIndex(job);
	}

	/** The Job has been removed from the store. */
	jobRemoved(): void {
		this.#isGone = true;
	}

	/**
	 * The controller has adopted an orphan Pod. Parallelism may be exceeded by it, and its index be another
	 * Pod's.
	 */
	podAdopted(pod: Pod): void {
		const versions = this.#knowledge.versions(this.#job.metadata.uid ?? '');
		const canAdopt = versions.some((job) => !isFinished(job) && job.metadata.deletionTimestamp === undefined);
		this.#check(canAdopt, 1, `Pod ${pod.metadata.name} is adopted by a finished Job`);
		this.#uncertain.add(completionIndexOf(pod) ?? -1);
		this.#observe(pod);
	}

	/** A Pod of the Job has been created. */
	podCreated(pod: Pod): void {
		const versions = this.#knowledge.versions(this.#job.metadata.uid ?? '');
		const creating = versions.filter(createsPods);
		this.#check(
			creating.length > 0,
			1,
			`Pod ${pod.metadata.name} is created for a Job that is suspended or ending`,
		);
		this.#observe(pod);
		const parallelism = Math.max(...versions.map(({ spec }) => spec.parallelism ?? 1));
		const active = this.#active();
		this.#check(
			active.length <= parallelism,
			1,
			() => `${active.length} Pods are active, parallelism is ${parallelism}`,
		);
		if (isIndexed(this.#job)) this.#checkIndexOf(pod, versions);
		this.#checkPace(pod);
	}

	/** A Pod of the Job has been updated. */
	podChanged(pod: Pod, old: Pod): void {
		this.#observe(pod);
		if (isTracked(old) && !isTracked(pod)) this.#checkRelease(pod);
	}

	/** A Pod of the Job has been removed from the store. */
	podRemoved(old: Pod): void {
		if (isTracked(old)) this.#uncertain.add(completionIndexOf(old) ?? -1);
		this.#pods.delete(old.metadata.uid ?? '');
	}

	/**
	 * A Pod has lost the Job as its owner. If the Job adopts it again, it counts as another Pod that was never
	 * recorded.
	 */
	podOrphaned(old: Pod): void {
		const { uid = '' } = old.metadata;
		this.podRemoved(old);
		const note = this.#recorded.get(uid);
		this.#recorded.delete(uid);
		if (note) this.#recorded.set(beforeItWasOrphaned(uid), note);
	}

	#observe(pod: Pod): void {
		const { uid = '' } = pod.metadata;
		this.#pods.set(uid, pod);
		const index = completionIndexOf(pod);
		if (pod.status.phase === 'Succeeded')
			this.#lastSuccessMs = Math.max(this.#lastSuccessMs, endOf(pod) ?? this.#knowledge.now());
		if (pod.status.phase === 'Succeeded' && index !== undefined) this.#successes.set(uid, index);
	}

	/** The Pods that are active, as the Job counts them. */
	#active(): readonly Pod[] {
		const { podReplacementPolicy, podFailurePolicy } = this.#job.spec;
		const waitsForEnd = podReplacementPolicy === 'Failed' || podFailurePolicy !== undefined;
		return [...this.#pods.values()].filter(
			(pod) => !hasEnded(pod) && (waitsForEnd || pod.metadata.deletionTimestamp === undefined),
		);
	}

	#checkPace(pod: Pod): void {
		const isKnown = ({ metadata: { uid = '' } }: Pod): boolean =>
			this.#knowledge.knewOfEnd(uid, true) && !this.#releasedEarly.has(uid);
		// Failures of an index that the Job once dropped do not count any more.
		const counts = (each: Pod): boolean => (completionIndexOf(each) ?? -1) < this.#lowestCompletions;
		const known = [...this.#pods.values()].filter((each) => hasEnded(each) && isKnown(each) && counts(each));
		const ends = { pods: known, lastSuccessMs: this.#lastSuccessMs };
		const earliest = earliestReplacement(this.#job, ends, completionIndexOf(pod));
		const now = this.#knowledge.now();
		this.#check(
			earliest <= now,
			21,
			() => `Pod ${pod.metadata.name} is created ${earliest - now} ms too soon after a failure`,
		);
	}

	#checkIndexOf(pod: Pod, versions: readonly Job[]): void {
		const index = completionIndexOf(pod);
		const completions = Math.max(...versions.map(({ spec }) => spec.completions ?? 0));
		this.#check(index !== undefined && index < completions, 3, `the Job has no index ${index}`);
		if (index === undefined) return;
		const { completedIndexes, failedIndexes } = this.#job.status;
		const completed = IndexSet.parse(completedIndexes, ANY).has(index) && index < this.#lowestCompletions;
		this.#check(!completed, 3, `index ${index} is complete and gets another Pod`);
		this.#check(
			!IndexSet.parse(failedIndexes, ANY).has(index),
			3,
			`index ${index} has failed and gets another Pod`,
		);
		const rivals = this.#active().filter((other) => completionIndexOf(other) === index);
		this.#check(rivals.length === 1 || index >= this.#lowestCompletions, 3, `index ${index} runs twice`);
	}

	/** The Pod has lost the tracking finalizer: by now the Job's status must have recorded its end. */
	#checkRelease(pod: Pod): void {
		const { uid = '', name = '' } = pod.metadata;
		const job = this.#job;
		if (!hasEnded(pod)) this.#releasedEarly.add(uid);
		if (this.#isGone || job.metadata.deletionTimestamp || isFinished(job)) return;
		if (pod.status.phase === 'Failed') this.#checkVerdict(pod);
		// A Pod that was adopted again may have been recorded before it was orphaned, and not be counted yet.
		if (this.#recorded.has(uid) || this.#recorded.has(beforeItWasOrphaned(uid))) return;
		const index = completionIndexOf(pod);
		this.#uncertain.add(index ?? -1);
		// A Pod that the controller deletes is not counted, and its end may arrive at the same instant. While the
		// Job ends, the controller releases deleted Pods before they have ended.
		const isStopped = pod.metadata.deletionTimestamp !== undefined && ends(job);
		if (!hasEnded(pod) || !this.#knowledge.knewOfEnd(uid, isStopped)) return;
		if (isIndexed(job)) {
			if (index === undefined || index >= Math.min(this.#lowestCompletions, job.spec.completions ?? 0))
				return;
			const { completedIndexes, failedIndexes } = job.status;
			const decided = [completedIndexes, failedIndexes].some((text) => IndexSet.parse(text, ANY).has(index));
			if (pod.status.phase === 'Succeeded') {
				this.#check(decided, 2, `index ${index} is not recorded before its Pod ${name} is released`);
				return;
			}
		}
		if (pod.status.phase === 'Failed') {
			if (verdictOn(pod, job.spec.podFailurePolicy) === 'Ignore') return;
			if (isConditionTrue(job.status.conditions, 'SuccessCriteriaMet')) return;
		}
		this.#check(false, 2, `the end of Pod ${name} is not recorded before it is released`);
	}

	/** The action of the failure policy for a Pod takes effect before the Pod is released. */
	#checkVerdict(pod: Pod): void {
		const { uid = '', name } = pod.metadata;
		const { spec, status } = this.#job;
		if (ends(this.#job) || !this.#knowledge.knewOfEnd(uid, true)) return;
		const action = verdictOn(pod, spec.podFailurePolicy);
		this.#check(action !== 'FailJob', 5, `Pod ${name} fails the Job, and the Job continues`);
		const index = completionIndexOf(pod);
		if (index === undefined || index >= this.#lowestCompletions || spec.backoffLimitPerIndex === undefined)
			return;
		const isDecided = [status.failedIndexes, status.completedIndexes].some((text) =>
			IndexSet.parse(text, ANY).has(index),
		);
		const text = `Pod ${name} fails index ${index}, and the index continues`;
		this.#check(action !== 'FailIndex' || isDecided, 5, text);
	}

	#checkTerminal({ status: old }: Job, job: Job): void {
		const { conditions } = job.status;
		const both = isConditionTrue(conditions, 'Complete') && isConditionTrue(conditions, 'Failed');
		const bothInterim =
			isConditionTrue(conditions, 'SuccessCriteriaMet') && isConditionTrue(conditions, 'FailureTarget');
		this.#check(!both && !bothInterim, 4, 'the Job is Complete and Failed');
		for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
			this.#check(
				!isConditionTrue(old.conditions, type) || isConditionTrue(conditions, type),
				4,
				`${type} is taken back`,
			);
		}
		if (!isFinished(job)) return;
		const interim = isConditionTrue(conditions, 'Complete') ? 'SuccessCriteriaMet' : 'FailureTarget';
		this.#check(isConditionTrue(old.conditions, interim), 4, `${interim} did not come first`);
		const {
			uncountedTerminatedPods: { succeeded = [], failed = [] } = {},
			active = 0,
			terminating = 0,
		} = job.status;
		this.#check(succeeded.length + failed.length === 0, 4, 'a finished Job has Pods that it has not counted');
		this.#check(active + terminating === 0, 4, 'a finished Job has Pods that have not ended');
	}

	#checkRecorded(old: JobStatus, status: JobStatus, as: 'succeeded' | 'failed'): void {
		const before = new Set(old.uncountedTerminatedPods?.[as]);
		const uncounted = status.uncountedTerminatedPods?.[as] ?? [];
		for (const uid of uncounted) {
			if (before.has(uid)) continue;
			this.#check(!this.#recorded.has(uid), 2, `Pod ${uid} is recorded a second time`);
			this.#recorded.set(uid, as);
			if (as === 'failed') this.#checkCounts(this.#pods.get(uid));
		}
		const total = [...this.#recorded.values()].filter((each) => each === as).length;
		const counted = (status[as] ?? 0) + uncounted.length;
		this.#check(counted === total, 2, `${counted} are counted or listed as ${as}, ${total} were recorded`);
		this.#check((status[as] ?? 0) >= (old[as] ?? 0), 2, `the count of ${as} shrinks`);
	}

	#checkCounts(pod: Pod | undefined): void {
		if (pod?.status.phase !== 'Failed' || !this.#knowledge.knewOfEnd(pod.metadata.uid ?? '', true)) return;
		const isIgnored = verdictOn(pod, this.#job.spec.podFailurePolicy) === 'Ignore';
		this.#check(!isIgnored, 2, `Pod ${pod.metadata.name} counts, and the failure policy ignores it`);
	}

	#checkIndexes(old: JobStatus, { status, spec }: Job): void {
		const before = IndexSet.parse(old.completedIndexes, ANY);
		const after = IndexSet.parse(status.completedIndexes, ANY);
		const failed = IndexSet.parse(status.failedIndexes, ANY);
		this.#check(
			after.size === (status.succeeded ?? 0),
			3,
			`${status.succeeded} succeeded: ${status.completedIndexes}`,
		);
		this.#check(after.sizeOfIntersection(failed) === 0, 3, 'an index is both complete and failed');
		for (let index = 0; index < (spec.completions ?? 0); index++) {
			const kept = after.has(index) || index >= this.#lowestCompletions;
			if (before.has(index)) this.#check(kept, 2, `index ${index} is no longer complete`);
			else if (after.has(index)) this.#checkProof(index);
		}
	}

	#checkProof(index: number): void {
		const proof = [...this.#successes].some(
			([uid, of]) => of === index && this.#recorded.get(uid) !== 'failed',
		);
		this.#check(proof, 3, `index ${index} is complete without a Pod that succeeded`);
	}

	#checkEnd({ status: old }: Job, job: Job): void {
		const reason = reasonToEnd(job);
		this.#check(reason === undefined || ends(job), 5, () => `the Job continues: ${reason}`);
		for (const condition of job.status.conditions ?? []) {
			if (condition.type !== 'SuccessCriteriaMet' && condition.type !== 'FailureTarget') continue;
			if (isConditionTrue(old.conditions, condition.type)) continue;
			const doubt = doubtOfEnd(job, condition, this.#knowledge.now());
			this.#check(doubt === undefined, 5, () => `the Job ends with ${condition.reason}: ${doubt}`);
		}
	}

	#checkLimitPerIndex({ spec }: Job): void {
		if (spec.backoffLimitPerIndex === undefined) return;
		const failures = new Map<number, number>();
		for (const pod of this.#pods.values()) {
			const index = completionIndexOf(pod) ?? -1;
			if (this.#recorded.get(pod.metadata.uid ?? '') !== 'failed' || this.#uncertain.has(index)) continue;
			failures.set(index, (failures.get(index) ?? 0) + 1);
		}
		for (const [index, count] of failures) {
			const holds = count <= spec.backoffLimitPerIndex + 1 || index >= this.#lowestCompletions;
			this.#check(
				holds,
				5,
				() => `index ${index} failed ${count} times, its limit is ${spec.backoffLimitPerIndex}`,
			);
		}
	}

	#recordCompletions({ spec }: Job): void {
		if (spec.completions !== undefined) {
			this.#lowestCompletions = Math.min(this.#lowestCompletions, spec.completions);
		}
	}

	#check(holds: boolean, invariant: Parameters<Violations['check']>[1], text: string | (() => string)): void {
		const message = (): string =>
			`Job ${this.#job.metadata.name}: ${typeof text === 'string' ? text : text()}`;
		this.#violations.check(holds, invariant, message);
	}
}

/** The key of the recorded end of a Pod that was orphaned since. */
function beforeItWasOrphaned(uid: string): string {
	return `${uid}, before it was orphaned`;
}

/** Whether the controller has decided that the Job ends: the Job has an interim condition. */
function ends({ status }: Job): boolean {
	return (
		isConditionTrue(status.conditions, 'SuccessCriteriaMet') ||
		isConditionTrue(status.conditions, 'FailureTarget')
	);
}

/** Whether a controller that has received this version of the Job may create Pods for it. */
function createsPods(job: Job): boolean {
	const isOver = isFinished(job) || isConditionTrue(job.status.conditions, 'FailureTarget');
	return !isOver && !job.spec.suspend && job.metadata.deletionTimestamp === undefined;
}

/** More indexes than any Job here has. */
const ANY = 1000;
