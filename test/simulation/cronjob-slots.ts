import type { CronJobSpec } from '../../src/api/batch/cronjob/schema.ts';

/** A zone whose clocks are ahead of UTC by an odd number of minutes, so that even minutes are others there. */
export const ODD_ZONE = 'Asia/Kathmandu';

/**
 * The last slot by `ms` of a schedule that is each minute or every other one; worked out without regard
 * to how the controller does it.
 */
export function latestSlot({ schedule, timeZone }: CronJobSpec, ms: number): number {
	const everyMs = 60_000 * (schedule === '* * * * *' ? 1 : 2);
	const aheadMs = timeZone === ODD_ZONE ? 345 * 60_000 : 0;
	return Math.floor((ms + aheadMs) / everyMs) * everyMs - aheadMs;
}
