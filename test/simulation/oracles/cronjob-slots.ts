import type { CronJobSpec } from '../../../src/api/batch/cronjob/schema.ts';

/** A time zone with an odd UTC offset in minutes (+05:45): its even minutes are the odd minutes of UTC. */
export const ODD_ZONE = 'Asia/Kathmandu';

/**
 * The last slot at or before `ms`, of a schedule of every minute or every other minute. Computed by plain
 * arithmetic, without the controller's cron expression code, so that a fault in that is visible.
 */
export function latestSlot({ schedule, timeZone }: CronJobSpec, ms: number): number {
	const everyMs = 60_000 * (schedule === '* * * * *' ? 1 : 2);
	const aheadMs = timeZone === ODD_ZONE ? 345 * 60_000 : 0;
	return Math.floor((ms + aheadMs) / everyMs) * everyMs - aheadMs;
}
