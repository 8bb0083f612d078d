import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { semanticEqual } from '../../api/meta/equality.ts';
import type { CronJobPlan, JobStart } from '../../plan/cronjob/plan.ts';
import { isActive, withoutActive, withStarted } from '../../plan/cronjob/status.ts';
import type { CronJobWriter } from './cronjob-writer.ts';

/**
 * Performs a plan in the order that it prescribes (see plan/cronjob/plan.ts). The status is written for
 * what was done, also where starting the Job failed; then it rejects with that error.
 */
export async function applyPlan(cronJob: CronJob, plan: CronJobPlan, writer: CronJobWriter): Promise<void> {
	for (const event of plan.events) writer.announce(event);
	for (const { job } of plan.cleanUp) await writer.cleanUp(job);
	const started = plan.start ? await start(plan.status, plan.start, writer) : { status: plan.status };
	if (!semanticEqual(started.status, cronJob.status)) await writer.updateStatus(started.status);
	if ('error' in started) throw started.error;
}

interface Started {
	readonly status: CronJob['status'];
	readonly error?: unknown;
}

async function start(before: CronJob['status'], act: JobStart, writer: CronJobWriter): Promise<Started> {
	const replaced = new Set<string | undefined>();
	try {
		for (const reference of act.replace) {
			await writer.replace(reference);
			replaced.add(reference.uid);
		}
		const status = withoutActive(before, replaced);
		const job = await writer.create(act);
		const fresh = job && !isActive(status, job.metadata.uid);
		return { status: fresh ? withStarted(status, job, act.dueMs) : status };
	} catch (error) {
		return { status: withoutActive(before, replaced), error };
	}
}
