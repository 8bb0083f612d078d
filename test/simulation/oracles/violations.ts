/**
 * The invariants of the whole system, which hold under every injected fault. Safety, checked at every change of
 * the store and of a runtime:
 *
 * 1. A Job never has more active Pods than the parallelism that its controller can have known; the controller
 *    creates no Pod for a Job that is suspended, ending or being deleted.
 * 2. The Job's status records each Pod's end once, before the controller releases the Pod (removes its tracking
 *    finalizer). Counts and recorded ends agree, and counts never shrink, except those of an Indexed Job that
 *    is scaled down.
 * 3. An index is complete only if one of its Pods has succeeded. No index is both complete and failed; an index
 *    that is either gets no other Pod.
 * 4. A Job is never both Complete and Failed. The interim condition is in an earlier write than the terminal
 *    one; a status with a terminal condition never changes again.
 * 5. A status whose counts require the Job's end (too many failures or failed indexes, the success policy) has
 *    the interim condition in the same write, and no status has it without such a reason. No index fails more
 *    often than its own limit allows, and the failure policy's action for each Pod takes effect.
 * 6. A container of a Pod with restartPolicy Never is started at most once, over all nodes. Containers of a Pod
 *    never run in two sandboxes at once, and never on a node that the Pod is not bound to.
 * 7. A slot of a CronJob gets at most one Job, after its time, within the deadline and only while it is the
 *    latest slot; none while the CronJob is suspended. Under Forbid no Job is created while another one is
 *    known to run; under Replace the other one is deleted before. Every known running Job is among the active
 *    ones, and none is removed from them before its end. lastScheduleTime and lastSuccessfulTime never go
 *    back.
 * 8. A Pod is bound once; its terminal phase is final; its restart counts never shrink.
 * 9. Every acknowledged write is in the history, at the resourceVersion of the answer; resourceVersions grow.
 * 17. No Pod is bound to a node with a taint that the scheduler can have known and the Pod does not tolerate.
 * 18. A Node's Ready condition becomes Unknown only after 50 s without a heartbeat, and a taint evicts a Pod
 *    only once the Pod's toleration of it has expired.
 * 20. A Job is deleted only by users, by its TTL, or by its CronJob: to be replaced, because of the history
 *    limits, or with the CronJob.
 * 21. A failed Pod is replaced only after the backoff that the earlier failures require.
 * 23. When an owner is removed, the dependents of an orphan deletion no longer refer to it, and the blocking
 *    dependents of a foreground deletion are removed already.
 * 24. A Pod is bound only to a node with enough free cpu, with no Pod that either of the two has
 *    anti-affinity to, and where its host ports are free.
 * 25. A Pod is preempted only on a node for which a Pod of a higher priority was nominated before.
 * 26. A component that updates, deletes or binds an object identifies it by UID or resourceVersion: another
 *    object may have its name by now.
 *
 * Liveness, within a bounded time after the last fault:
 *
 * 10. Each Job has finished, unless it is suspended or has parallelism 0; each Pod has ended.
 * 11. No Pod has the tracking finalizer of a Job that has finished or is deleted.
 * 12. No object outlives its owners, and every deleted object is removed.
 * 13. No runtime runs a container of a Pod that has ended or is deleted.
 * 14. No component loops endlessly: the work of one instant is bounded, and so is the orderly stop of a
 *    process.
 * 16. Each slot of a CronJob gets its Job, if it may have one. In the end the active Jobs are the running ones,
 *    and no more finished ones are kept than the history limits allow.
 * 19. A running machine has a Node that is Ready and has no condition taint. All Pods of a destroyed machine
 *    are deleted; once users have removed its Node, everything reaches the final state.
 * 22. No Job has more active Pods than it asks for, and none while it is suspended or once it has finished.
 *    No Job is active beyond its deadline. A Job adopts every orphan Pod that matches its selector.
 *
 * At all times:
 *
 * 15. Every error that a component reports is one of the API or of the runtime, never a programming error.
 */

/** One of the numbers above. */
export type InvariantNumber = number;

/** Thrown when one of the invariants above does not hold. */
export class Violation extends Error {
	override readonly name = 'Violation';
	readonly invariant: InvariantNumber;

	constructor(invariant: InvariantNumber, text: string) {
		super(`invariant ${invariant}: ${text}`);
		this.invariant = invariant;
	}
}

/**
 * Keeps the first violation until the world raises it. Oracles run inside calls of the system under test: an
 * error thrown there would only be one more fault, which the system handles.
 */
export class Violations {
	#first: Violation | undefined;

	/** Records a violation unless `holds`. Only the first is kept. */
	check(holds: boolean, invariant: InvariantNumber, text: string | (() => string)): void {
		if (holds || this.#first) return;
		this.#first = new Violation(invariant, typeof text === 'string' ? text : text());
	}

	/** Throws the recorded violation, if there is one. */
	raise(): void {
		if (this.#first) throw this.#first;
	}
}
