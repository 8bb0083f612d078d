import assert from 'node:assert/strict';
import type { Job, JobStatus } from '../../src/api/batch/job/schema.ts';
import { hasEnded } from '../../src/api/core/pod/phase.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { isConditionTrue } from '../../src/api/meta/conditions.ts';
import { isFinished } from '../../src/plan/job/conditions.ts';
import { IndexSet } from '../../src/plan/job/index-set.ts';
import type { JobPlan } from '../../src/plan/job/plan.ts';
import { judgeFailure } from '../../src/plan/job/pod-failure-policy.ts';
import { completionIndexOf, isTracked } from '../../src/plan/job/pods/classify.ts';
import { totalFailures } from '../../src/plan/job/pods/view.ts';
import type { JobSnapshot } from '../../src/plan/job/snapshot.ts';

/**
 * Asserts the invariants of the Job controller at every write:
 *
 * 1. A Job never has more active Pods than the parallelism of the spec that the controller had received.
 * 2. The controller creates no Pod for an index that has a running Pod or that has succeeded.
 * 3. The status records each Pod once, as succeeded or as failed, before the controller releases it (removes
 *    its tracking finalizer), and the counts are those of the recorded Pods. Pods that run when the Job fails
 *    are recorded as failed; Pods that the controller removes (because of suspension or scaling) are never
 *    recorded.
 * 4. A terminal condition is in a later write than its interim condition, and is the last change of the status.
 * 5. The failure count of an index is passed on to its next Pod.
 */
export class Ledger {
	readonly #recorded = new Map<string, 'succeeded' | 'failed'>();
	/** UIDs of Pods that the controller removed, or released because they no longer match the selector. */
	readonly #removed = new Set<string>();
	/** The lowest `completions` so far: the Job once dropped all indexes from here on, so they may run again. */
	#lowestCompletions = Number.POSITIVE_INFINITY;
	#seen: JobSnapshot | undefined;
	#removing: ReadonlySet<string> = new Set();
	readonly #indexOf = new Map<string, number>();
	readonly #uncertain = new Set<number>();

	/** The controller starts to apply this plan. */
	expect(seen: JobSnapshot, plan: JobPlan): void {
		this.#seen = seen;
		const { completions } = seen.job.spec;
		if (completions !== undefined) this.#lowestCompletions = Math.min(this.#lowestCompletions, completions);
		this.#removing = new Set(plan.remove.map(({ pod }) => pod.metadata.uid ?? ''));
		for (const { pod } of [...plan.remove, ...plan.release]) {
			this.#removed.add(pod.metadata.uid ?? '');
			this.#uncertain.add(completionIndexOf(pod) ?? -1);
		}
		for (const pod of this.#known) {
			const index = completionIndexOf(pod);
			if (index !== undefined) this.#indexOf.set(pod.metadata.uid ?? '', index);
		}
		assert.ok(
			plan.create.length === 0 || plan.remove.length + plan.delete.length === 0,
			'a plan never both creates and deletes Pods',
		);
	}

	/** The Pods of the plan's snapshot, including orphans that it may adopt. */
	get #known(): readonly Pod[] {
		return [...(this.#seen?.pods ?? []), ...(this.#seen?.orphans ?? [])];
	}

	/** Called before the controller creates a Pod beside `pods`. */
	created(pod: Pod, pods: Iterable<Pod>): void {
		const job = this.#seen?.job;
		assert.ok(job);
		assert.ok(
			!job.spec.suspend && !job.metadata.deletionTimestamp,
			'no Pod is created for a suspended or deleted Job',
		);
		assert.ok(
			!isConditionTrue(job.status.conditions, 'FailureTarget'),
			'no Pod is created for a failing Job',
		);
		const others = [...pods].filter(({ metadata }) =>
			metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid),
		);
		const waitsForEnd = job.spec.podReplacementPolicy === 'Failed';
		const running = others.filter(
			(other) => !hasEnded(other) && (waitsForEnd || !other.metadata.deletionTimestamp),
		);
		assert.ok(running.length < (job.spec.parallelism ?? 1), 'never more active Pods than parallelism');
		if (job.spec.completionMode === 'Indexed') this.#createdIndex(pod, job, others);
	}

	/** Called before the controller deletes a Pod. */
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

	/** A removed or released Pod takes the failure count in its annotation with it, as upstream. */
	#passedOn(pod: Pod, index: number, job: Job): void {
		if (job.spec.backoffLimitPerIndex === undefined) return;
		if (this.#uncertain.has(index) || index >= this.#lowestCompletions) return;
		const failed = [...this.#recorded].filter(
			([uid, as]) => as === 'failed' && this.#indexOf.get(uid) === index,
		);
		assert.ok(totalFailures(pod) >= failed.length, `index ${index} forgot ${failed.length} failures`);
	}

	/** Called before the controller removes a Pod's tracking finalizer. `job` is the stored Job. */
	released(pod: Pod, job: Job): void {
		const { uid = '' } = pod.metadata;
		const seen = this.#known.find((each) => each.metadata.uid === uid);
		if (!seen || !isTracked(seen) || this.#removed.has(uid)) return;
		const index = completionIndexOf(seen);
		const completions =
			job.spec.completionMode === 'Indexed' ? (this.#seen?.job.spec.completions ?? 0) : undefined;
		if (completions !== undefined && (index === undefined || index >= completions)) return;
		if (seen.status.phase === 'Succeeded' && completions !== undefined && !this.#recorded.has(uid)) {
			const decided = [job.status.completedIndexes, job.status.failedIndexes];
			const ended = decided.some((text) => IndexSet.parse(text, completions).has(index ?? -1));
			assert.ok(ended, 'a success is recorded before its Pod is released');
		} else if (seen.status.phase === 'Succeeded') {
			assert.ok(this.#recorded.has(uid), 'a success is recorded before its Pod is released');
		} else if (!judgeFailure(job.spec.podFailurePolicy, seen).counted) {
			return;
		} else if (seen.status.phase === 'Failed' || isConditionTrue(job.status.conditions, 'FailureTarget')) {
			assert.equal(this.#recorded.get(uid), 'failed', 'a failure is recorded before its Pod is released');
		}
	}

	/** Called before the controller replaces the status of the Job. */
	status(old: Job, job: Job): void {
		assert.ok(!isFinished(old), 'a finished Job does not change');
		if (isFinished(job)) {
			const interim = isConditionTrue(job.status.conditions, 'Complete')
				? 'SuccessCriteriaMet'
				: 'FailureTarget';
			assert.ok(
				isConditionTrue(old.status.conditions, interim),
				'the interim condition is in an earlier write',
			);
		}
		this.#checkRecorded(old.status, job.status, 'failed');
		this.#checkReason(old, job);
		if (job.spec.completionMode !== 'Indexed') this.#checkRecorded(old.status, job.status, 'succeeded');
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
					this.#recorded.get(pod.metadata.uid ?? '') !== 'failed',
			);
			assert.ok(proof, `index ${index} is complete without a Pod that succeeded`);
		}
	}

	#checkReason({ status: old }: Job, { status, spec }: Job): void {
		const last = status.conditions?.at(-1);
		if (!last || old.conditions?.some(({ type }) => type === last.type)) return;
		// Only new conditions are checked: the spec may change between the interim and the terminal write.
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

	#checkRecorded(old: JobStatus, status: JobStatus, as: 'succeeded' | 'failed'): void {
		const before = new Set(old.uncountedTerminatedPods?.[as]);
		const uncounted = status.uncountedTerminatedPods?.[as] ?? [];
		for (const uid of uncounted) {
			if (before.has(uid)) continue;
			assert.ok(!this.#recorded.has(uid), `${uid} is recorded a second time`);
			this.#recorded.set(uid, as);
		}
		const total = [...this.#recorded.values()].filter((each) => each === as).length;
		assert.equal(
			(status[as] ?? 0) + uncounted.length,
			total,
			`${as}: counted and uncounted Pods are the recorded ones`,
		);
	}
}
