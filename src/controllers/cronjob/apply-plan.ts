import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import type { CronJobPlan, JobStart } from '../../plan/cronjob/plan.ts';
import { isActive, withoutActive, withStarted } from '../../plan/cronjob/status.ts';
import type { CronJobWriter } from './cronjob-writer.ts';

/**
 * Applies a plan in the order that plan/cronjob/plan.ts prescribes. The status is written for what was done,
 * even if the Job could not be created; only then does it reject, with the error of the creation or
 * replacement.
 */
export async function applyCronJobPlan(
	cronJob: CronJob,
	plan: CronJobPlan,
	writer: CronJobWriter,
): Promise<void> {
	for (const event of plan.events) writer.announce(event);
	for (const { job } of plan.cleanUp) await writer.cleanUp(job);
	const started = plan.start ? await start(plan.status, plan.start, writer) : { status: plan.status };
	if (!semanticEqual(started.status, cronJob.status)) await writer.updateStatus(started.status);
	if ('error' in started) throw started.error;
}

/** The status after the start of a Job was attempted, and the error if the attempt failed. */
interface Started {
	readonly status: CronJob['status'];
	readonly error?: unknown;
}

/** Deletes the Jobs to replace, creates the Job, and returns the status that reflects both. Never rejects. */
async function start(before: CronJob['status'], act: JobStart, writer: CronJobWriter): Promise<Started> {
	const replaced = new Set<string | undefined>();
	try {
		for (const reference of act.replace) {
			await writer.replace(reference);
			replaced.add(reference.uid);
		}
		const status = withoutActive(before, replaced);
		const job = await writer.create(act);
		const isNew = job && !isActive(status, job.metadata.uid);
		return { status: isNew ? withStarted(status, job, act.dueMs) : status };
	} catch (error) {
		return { status: withoutActive(before, replaced), error };
	}
}
