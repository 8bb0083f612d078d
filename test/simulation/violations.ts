/**
 * What the simulation holds the whole system to, whatever goes wrong around it. Safety, at every single
 * change of the store and of a runtime:
 *
 * 1. Never more active Pods of a Job than the parallelism that its controller can have known of; none is
 *    made for a Job at rest, ending or being deleted.
 * 2. Each Pod's end is noted once, before the Job lets go of the Pod; what is counted and what is noted
 *    agree, and counts never shrink (except those of an Indexed Job that is scaled down).
 * 3. An index is complete only through a Pod of it that succeeded; no index is both complete and failed;
 *    one that is either gets no other Pod.
 * 4. A Job is Complete or Failed, not both; the interim condition came in an earlier write; a status
 *    with a terminal condition never changes again.
 * 5. A status whose counts call for the Job's end (too many failures or failed indexes, the success policy)
 *    announces it in that very write, and none announces an end that nothing calls for. No index fails
 *    more often than its own limit allows, and what the failure policy says of a Pod is done.
 * 6. A container of a Pod that is never restarted is started once at most, on whatever node; containers
 *    of a Pod never run in two sandboxes at once, and never on a node that the Pod is not bound to.
 * 7. A slot of a CronJob gets one Job at most, after its time, within the deadline and only while it is the
 *    latest; none while the CronJob is suspended. Under Forbid no Job starts while another one is known to
 *    run, under Replace that one is deleted before. No Job that is known is missing among the active ones,
 *    none is taken out before its end. lastScheduleTime and lastSuccessfulTime never go back.
 * 8. A Pod is bound once; its terminal phase is final; its restart counts never shrink.
 * 9. What a client was told to be written is in the history, at the version it was told; versions grow.
 * 17. No Pod is bound to a node that has a taint, as far as the scheduler can have known, which the Pod does
 *    not tolerate.
 * 18. A node is said to be silent only after fifty seconds in which nothing was heard of it, and a taint
 *    drives a Pod away only once the time for which the Pod tolerates it is over.
 * 20. A Job is deleted only by users, when its time to live is over, or by its CronJob: to be replaced, as
 *    one too many of those that have ended, or with the CronJob.
 * 21. A failed Pod is replaced only after the delay that the failures before it call for.
 * 24. A Pod is bound only to a node that has the cpu for it beside the others there, where no Pod is from which
 *    one of the two wants to be away, and where its host ports are free.
 * 25. A Pod is preempted only on a node that was promised to a Pod of a higher priority before.
 * 23. Once an owner is gone, what was to stay does not name it any more, and what was to go first is gone.
 * 26. A component that changes, deletes or binds an object says which one it means: another may have its name
 *    by now.
 *
 * In the end, once nothing goes wrong any more, within a bounded time:
 *
 * 10. Each Job has ended, unless it is at rest; each Pod has ended or goes on for a reason.
 * 11. No Pod holds the tracking finalizer of a Job that has ended or is gone.
 * 12. Nothing is left whose owner is gone; nothing that was deleted is still there.
 * 13. No runtime has anything for a Pod that is not there.
 * 14. Nobody works without end: what happens in one instant is bounded, and so is a process' orderly end.
 * 16. While nothing goes wrong each slot of a CronJob is seen to. In the end its active Jobs are those that
 *    run, and no more ended ones are kept than its limits say.
 * 22. No Job has more Pods than it asks for, none at all while it is suspended or once it has ended; none is
 *    active beyond its deadline; and a Pod that nobody owns and that is like its own is adopted.
 * 19. A machine that is up has its Node, ready and without a taint that tells otherwise. Of a machine that
 *    is lost for ever no Pod is left that was not told to leave; once users give the machine up, all ends.
 *
 * And at all times:
 *
 * 15. Whatever error a component reports is one of the API's or the runtime's, never one of its own.
 */

/** One of the numbers above. */
export type InvariantNumber = number;

/** One of the invariants above does not hold. */
export class Violation extends Error {
	override readonly name = 'Violation';
	readonly invariant: InvariantNumber;

	constructor(invariant: InvariantNumber, text: string) {
		super(`invariant ${invariant}: ${text}`);
		this.invariant = invariant;
	}
}

/**
 * Keeps the first violation until somebody asks: it is found in the middle of the system's own calls,
 * where to throw would only be another fault for the system to bear.
 */
export class Violations {
	#first: Violation | undefined;

	/** Notes a violation unless `holds`. */
	check(holds: boolean, invariant: InvariantNumber, text: string | (() => string)): void {
		if (holds || this.#first) return;
		this.#first = new Violation(invariant, typeof text === 'string' ? text : text());
	}

	/** Throws what was found. */
	raise(): void {
		if (this.#first) throw this.#first;
	}
}
