import assert from 'node:assert/strict';
import type { Job, JobStatus } from '../../src/api/batch/job/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { completionIndexOf, hasEnded, isTracked } from '../../src/plan/job/classify.ts';
import { isFinished, isTrue } from '../../src/plan/job/conditions.ts';
import { IndexSet } from '../../src/plan/job/indexes.ts';
import type { JobPlan } from '../../src/plan/job/plan.ts';
import { judgeFailure } from '../../src/plan/job/pod-failure-policy.ts';
import type { JobSnapshot } from '../../src/plan/job/snapshot.ts';
import { totalFailures } from '../../src/plan/job/view.ts';

/**
 * Keeps book beside the Job and holds the controller to its invariants, at every single write:
 *
 * 1. Never more active Pods than parallelism, as of the spec that the controller had seen.
 * 2. No Pod for an index that runs already or that has succeeded.
 * 3. Each Pod is noted once, as succeeded or as failed, before it is let go; the counts are what was noted.
 *    What still runs when the Job fails is noted as failed; what is removed is never noted.
 * 4. A terminal condition follows its interim one in a later write, and is the last change of the status.
 * 5. The failures of an index are passed on to its next Pod.
 */
export class Ledger {
	readonly #noted = new Map<string, 'succeeded' | 'failed'>();
	/** What was removed, or released because it is not the Job's any more. */
	readonly #removed = new Set<string>();
	/** Indexes from here on were given up by scaling down at some time, so they may run again. */
	#lowestCompletions = Number.POSITIVE_INFINITY;
	#seen: JobSnapshot | undefined;
	#removing: ReadonlySet<string> = new Set();
	readonly #indexOf = new Map<string, number>();
	readonly #disturbed = new Set<number>();

	/** A pass begins with this plan. */
	expect(seen: JobSnapshot, plan: JobPlan): void {
		this.#seen = seen;
		const { completions } = seen.job.spec;
		if (completions !== undefined) this.#lowestCompletions = Math.min(this.#lowestCompletions, completions);
		this.#removing = new Set(plan.remove.map(({ pod }) => pod.metadata.uid ?? ''));
		for (const { pod } of [...plan.remove, ...plan.release]) {
			this.#removed.add(pod.metadata.uid ?? '');
			this.#disturbed.add(completionIndexOf(pod) ?? -1);
		}
		for (const pod of this.#known) {
			const index = completionIndexOf(pod);
			if (index !== undefined) this.#indexOf.set(pod.metadata.uid ?? '', index);
		}
		assert.ok(plan.create.length === 0 || plan.remove.length + plan.delete.length === 0, 'not both at once');
	}

	/** The Pods that the plan is about, those to be adopted among them. */
	get #known(): readonly Pod[] {
		return [...(this.#seen?.pods ?? []), ...(this.#seen?.orphans ?? [])];
	}

	/** A Pod is about to be created beside `pods`. */
	created(pod: Pod, pods: Iterable<Pod>): void {
		const job = this.#seen?.job;
		assert.ok(job);
		assert.ok(!job.spec.suspend && !job.metadata.deletionTimestamp, 'nothing is started in a Job at rest');
		assert.ok(!isTrue(job.status.conditions, 'FailureTarget'), 'nothing is started in a Job that fails');
		const others = [...pods].filter(({ metadata }) =>
			metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid),
		);
		const waitsForEnd = job.spec.podReplacementPolicy === 'Failed';
		const running = others.filter(
			(other) => !hasEnded(other) && (waitsForEnd || !other.metadata.deletionTimestamp),
		);
		assert.ok(running.length < (job.spec.parallelism ?? 1), 'never more active than parallelism');
		if (job.spec.completionMode === 'Indexed') this.#createdIndex(pod, job, others);
	}

	/** A Pod is about to be deleted by the controller. */
	deleted(pod: Pod): void {
		const removed = this.#removing.has(pod.metadata.uid ?? '');
		assert.ok(!removed || !isTracked(pod), 'a removed Pod loses its finalizer before it is deleted');
	}

	#createdIndex(pod: Pod, job: Job, others: readonly Pod[]): void {
		const index = completionIndexOf(pod);
		if (index !== undefined) this.#passedOn(pod, index, job);
		assert.ok(index !== undefined && index < (job.spec.completions ?? 0), 'an index of the Job');
		assert.ok(
			!IndexSet.parse(job.status.completedIndexes, 1000).has(index) || index >= this.#lowestCompletions,
		);
		assert.ok(!IndexSet.parse(job.status.failedIndexes, 1000).has(index), 'a failed index stays failed');
		for (const other of others) {
			if (completionIndexOf(other) !== index || other.metadata.deletionTimestamp) continue;
			assert.ok(hasEnded(other), `index ${index} runs already`);
			const mayRepeat: boolean =
				index >= this.#lowestCompletions || this.#removed.has(other.metadata.uid ?? '');
			assert.ok(other.status.phase === 'Failed' || mayRepeat, `index ${index} has succeeded already`);
		}
	}

	/** What is removed or released takes the counts with it that it carried, as it does upstream. */
	#passedOn(pod: Pod, index: number, job: Job): void {
		if (job.spec.backoffLimitPerIndex === undefined) return;
		if (this.#disturbed.has(index) || index >= this.#lowestCompletions) return;
		const failed = [...this.#noted].filter(
			([uid, as]) => as === 'failed' && this.#indexOf.get(uid) === index,
		);
		assert.ok(totalFailures(pod) >= failed.length, `index ${index} forgot ${failed.length} failures`);
	}

	/** A Pod is about to lose its finalizer, with the Job's stored status being that of `job`. */
	letGo(pod: Pod, job: Job): void {
		const { uid = '' } = pod.metadata;
		const seen = this.#known.find((each) => each.metadata.uid === uid);
		if (!seen || !isTracked(seen) || this.#removed.has(uid)) return;
		const index = completionIndexOf(seen);
		const completions =
			job.spec.completionMode === 'Indexed' ? (this.#seen?.job.spec.completions ?? 0) : undefined;
		if (completions !== undefined && (index === undefined || index >= completions)) return;
		if (seen.status.phase === 'Succeeded' && completions !== undefined && !this.#noted.has(uid)) {
			const decided = [job.status.completedIndexes, job.status.failedIndexes];
			const ended = decided.some((text) => IndexSet.parse(text, completions).has(index ?? -1));
			assert.ok(ended, 'a success is noted before its Pod is let go');
		} else if (seen.status.phase === 'Succeeded') {
			assert.ok(this.#noted.has(uid), 'a success is noted before its Pod is let go');
		} else if (!judgeFailure(job.spec.podFailurePolicy, seen).counted) {
			return;
		} else if (seen.status.phase === 'Failed' || isTrue(job.status.conditions, 'FailureTarget')) {
			assert.equal(this.#noted.get(uid), 'failed', 'a failure is noted before its Pod is let go');
		}
	}

	/** The status of the Job is about to be replaced. */
	status(old: Job, job: Job): void {
		assert.ok(!isFinished(old), 'a finished Job does not change');
		if (isFinished(job)) {
			const interim = isTrue(job.status.conditions, 'Complete') ? 'SuccessCriteriaMet' : 'FailureTarget';
			assert.ok(isTrue(old.status.conditions, interim), 'the interim condition came in an earlier write');
		}
		this.#note(old.status, job.status, 'failed');
		this.#checkReason(old, job);
		if (job.spec.completionMode !== 'Indexed') this.#note(old.status, job.status, 'succeeded');
		else this.#checkIndexes(old, job);
	}

	#checkIndexes(old: Job, job: Job): void {
		assert.equal(job.status.succeeded ?? 0, IndexSet.parse(job.status.completedIndexes, 1000).size);
		const before = IndexSet.parse(old.status.completedIndexes, 1000);
		const after = IndexSet.parse(job.status.completedIndexes, 1000);
		for (let index = 0; index < 10; index++) {
			if (!after.has(index) || before.has(index)) continue;
			const proof = this.#known.some(
				(pod) =>
					completionIndexOf(pod) === index &&
					pod.status.phase === 'Succeeded' &&
					this.#noted.get(pod.metadata.uid ?? '') !== 'failed',
			);
			assert.ok(proof, `index ${index} is complete without a Pod that succeeded`);
		}
	}

	#checkReason({ status: old }: Job, { status, spec }: Job): void {
		const last = status.conditions?.at(-1);
		if (!last || old.conditions?.some(({ type }) => type === last.type)) return;
		// What was announced stays: the spec may change before the terminal write.
		if (last.type === 'SuccessCriteriaMet' && last.reason === 'CompletionsReached') {
			const succeeded = (status.succeeded ?? 0) + (status.uncountedTerminatedPods?.succeeded?.length ?? 0);
			assert.ok(succeeded >= (this.#seen?.job.spec.completions ?? 1), 'complete without enough successes');
		}
		const plain = spec.template.spec.restartPolicy === 'Never' && spec.backoffLimitPerIndex === undefined;
		if (last.reason === 'BackoffLimitExceeded' && plain) {
			const failed = (status.failed ?? 0) + (status.uncountedTerminatedPods?.failed?.length ?? 0);
			assert.ok(failed > (this.#seen?.job.spec.backoffLimit ?? 0), 'failed without enough failures');
		}
	}

	#note(old: JobStatus, status: JobStatus, as: 'succeeded' | 'failed'): void {
		const before = new Set(old.uncountedTerminatedPods?.[as]);
		const uncounted = status.uncountedTerminatedPods?.[as] ?? [];
		for (const uid of uncounted) {
			if (before.has(uid)) continue;
			assert.ok(!this.#noted.has(uid), `${uid} is noted a second time`);
			this.#noted.set(uid, as);
		}
		const total = [...this.#noted.values()].filter((each) => each === as).length;
		assert.equal(
			(status[as] ?? 0) + uncounted.length,
			total,
			`${as}: counted and uncounted are what was noted`,
		);
	}
}
