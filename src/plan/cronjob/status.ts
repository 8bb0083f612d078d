import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { JobReference } from './plan.ts';

type Status = CronJob['status'];

/** The status after a Job was created for the scheduled time `dueMs`. */
export function withStarted(status: Status, job: Job, dueMs: number): Status {
	return { ...withActive(status, job), lastScheduleTime: formatTime(dueMs) };
}

/** The status with the Job added to `active`. */
export function withActive(status: Status, { apiVersion, kind, metadata }: Job): Status {
	const { namespace = '', name = '', uid = '', resourceVersion = '' } = metadata;
	const reference: JobReference = { apiVersion, kind, namespace, name, uid, resourceVersion };
	return { ...status, active: [...(status.active ?? []), reference] };
}

/** The status with the Jobs of these UIDs removed from `active`; the same object if there are none. */
export function withoutActive(status: Status, uids: ReadonlySet<string | undefined>): Status {
	const kept = status.active?.filter(({ uid }) => !uids.has(uid)) ?? [];
	if (kept.length === (status.active?.length ?? 0)) return status;
	const { active: _, ...rest } = status;
	return kept.length === 0 ? rest : { ...rest, active: kept };
}

/** Whether `active` contains the Job of this UID. */
export function isActive({ active }: Status, uid: string | undefined): boolean {
	return active?.some((reference) => reference.uid === uid) ?? false;
}
