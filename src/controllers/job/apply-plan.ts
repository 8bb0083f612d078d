import type { Job, JobStatus } from '../../api/batch/job/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import type { JobPlan, PodAct, PodCreation } from '../../plan/job/plan.ts';
import { changeStatus, settleStatus } from '../../plan/job/status.ts';
import type { JobMetrics } from './job-metrics.ts';
import type { JobWriter } from './job-writer.ts';

/** The input of {@link applyJobPlan}. */
export interface ApplyOptions {
	readonly job: Job;
	readonly plan: JobPlan;
	readonly writer: JobWriter;
	readonly metrics: JobMetrics;
	/**
	 * True if the previous reconcile of this Job failed. Pods are then created in batches of 1, 2, 4, ... and the
	 * status is written after the last batch (upstream: slowStartBatch in manageJob). Otherwise all Pods are
	 * created at once and the status is written concurrently, so that the store can put both into one group
	 * commit.
	 */
	readonly cautious: boolean;
}

/**
 * Applies a plan in the order that plan/job/plan.ts prescribes. Resolves to the number of planned Pods that
 * were not created because their namespace is being deleted.
 *
 * Rejects with the first error, but only after the remaining writes that do not depend on the failed one.
 * Nothing is rolled back: the next reconcile observes what was written and plans anew.
 */
export async function applyJobPlan(options: ApplyOptions): Promise<number> {
	const { job, plan, writer, metrics } = options;
	await allOf(plan.adopt, ({ pod }) => writer.adopt(pod));
	await allOf(plan.release, ({ pod }) => writer.release(pod));
	await allOf(plan.remove, ({ pod }) => writer.remove(pod));
	await allOf(plan.delete, ({ pod }) => writer.delete(pod));
	const { noted, creation } = await createAndNote(options);
	for (const event of plan.events) writer.announce(event);
	metrics.failuresHandled(plan.failureActions);
	const taken = await takeFinalizers(plan.takeFinalizers, writer);
	const planned = plan.status ?? job.status;
	const whole = taken.error === undefined;
	const settled = whole ? (plan.settled ?? planned) : settleStatus(planned, (uid) => !taken.uids.has(uid));
	await writeIfChanged(noted, correct(settled, creation.missing), writer);
	if (whole) {
		for (const event of plan.settledEvents) writer.announce(event);
		if (plan.finished) metrics.jobFinished(job, plan.finished);
	}
	for (const error of [creation.error, taken.error]) if (error !== undefined) throw error;
	return creation.missing;
}

interface Creation {
	/** Number of planned Pods that were not created. */
	readonly missing: number;
	readonly error?: unknown;
}

/**
 * Creates the Pods and does the first status write of the plan; `noted` is the Job as stored after that write.
 */
async function createAndNote(
	options: ApplyOptions,
): Promise<{ readonly noted: Job; readonly creation: Creation }> {
	const { job, plan, writer, cautious } = options;
	const planned = plan.status ?? job.status;
	if (cautious) {
		const creation = await createSlowly(plan.create, writer);
		return { noted: await writeIfChanged(job, correct(planned, creation.missing), writer), creation };
	}
	const [creation, noted] = await Promise.allSettled([
		createAtOnce(plan.create, writer),
		plan.create.length > 0 && !semanticEqual(planned, job.status)
			? writer.updateStatusOfStart(job, planned)
			: writeIfChanged(job, planned, writer),
	]);
	if (noted.status === 'rejected') throw noted.reason;
	if (creation.status === 'rejected') throw creation.reason;
	return { noted: noted.value, creation: creation.value };
}

async function writeIfChanged(job: Job, status: JobStatus, writer: JobWriter): Promise<Job> {
	return semanticEqual(status, job.status) ? job : await writer.updateStatus(job, status);
}

/** The planned status, with `active` reduced by the number of Pods that were not created. */
function correct(status: JobStatus, missing: number): JobStatus {
	return missing === 0
		? status
		: changeStatus(status, { active: Math.max(0, (status.active ?? 0) - missing) });
}

async function createAtOnce(creations: readonly PodCreation[], writer: JobWriter): Promise<Creation> {
	const outcomes = await Promise.allSettled(creations.map((creation) => writer.create(creation)));
	const failed = outcomes.find((outcome) => outcome.status === 'rejected');
	const created = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;
	return { missing: creations.length - created, ...(failed && { error: failed.reason }) };
}

/**
 * Creates Pods in batches of 1, 2, 4, ... and stops after the first batch with a failure. If the API server
 * rejects one Pod, for example because of a quota, it most likely rejects the other 500 too: this saves it
 * those requests.
 */
async function createSlowly(creations: readonly PodCreation[], writer: JobWriter): Promise<Creation> {
	let done = 0;
	for (let size = 1; done < creations.length; size *= 2) {
		const batch = creations.slice(done, done + size);
		const { missing, error } = await createAtOnce(batch, writer);
		done += batch.length - missing;
		if (missing > 0) return { missing: creations.length - done, error };
	}
	return { missing: 0 };
}

async function takeFinalizers(
	acts: readonly PodAct[],
	writer: JobWriter,
): Promise<{ readonly uids: ReadonlySet<string>; readonly error?: unknown }> {
	const uids = new Set<string>();
	const outcomes = await Promise.allSettled(
		acts.map(async ({ pod }) => {
			await writer.takeFinalizer(pod);
			uids.add(pod.metadata.uid ?? '');
		}),
	);
	const failed = outcomes.find((outcome) => outcome.status === 'rejected');
	return { uids, ...(failed && { error: failed.reason }) };
}

/**
 * Calls `act` for all items concurrently, waits for all calls, then rejects with the first error, if there was
 * one.
 */
async function allOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
	const outcomes = await Promise.allSettled(items.map(act));
	for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
