import type { Dice } from '../dice.ts';
import { ODD_ZONE } from '../oracles/cronjob-slots.ts';
import { drawJobSpec } from './job-specs.ts';

/** Draws the spec of a new CronJob. */
export function drawCronJobSpec(dice: Dice): Record<string, unknown> {
	return {
		...drawSchedule(dice),
		concurrencyPolicy: dice.of('Allow', 'Forbid', 'Forbid', 'Replace'),
		...(dice.chance(0.3) && { startingDeadlineSeconds: drawDeadline(dice) }),
		...(dice.chance(0.1) && { suspend: true }),
		...(dice.chance(0.5) && { successfulJobsHistoryLimit: dice.between(0, 2) }),
		...(dice.chance(0.5) && { failedJobsHistoryLimit: dice.between(0, 2) }),
		jobTemplate: { metadata: { labels: { by: 'schedule' } }, spec: drawJobSpec(dice) },
	};
}

/** Draws a merge patch of a CronJob's spec. */
export function drawCronJobChange(dice: Dice): Record<string, unknown> {
	return dice.of(
		() => drawSchedule(dice),
		() => ({ suspend: true }),
		() => ({ suspend: false }),
		() => ({ suspend: false }),
		() => ({ concurrencyPolicy: dice.of('Allow', 'Forbid', 'Replace') }),
		() => ({ startingDeadlineSeconds: dice.of(null, drawDeadline(dice)) }),
		() => ({ successfulJobsHistoryLimit: dice.between(0, 2), failedJobsHistoryLimit: dice.between(0, 2) }),
		() => ({ jobTemplate: { metadata: { labels: { by: dice.of('hand', 'schedule') } } } }),
	)();
}

/** Every minute, or every other minute in one of several time zones; see cronjob-slots.ts. */
function drawSchedule(dice: Dice): Record<string, unknown> {
	const timeZone = dice.of(null, 'America/New_York', ODD_ZONE);
	return { schedule: dice.of('* * * * *', '* * * * *', '*/2 * * * *'), timeZone };
}

function drawDeadline(dice: Dice): number {
	return dice.of(1, 10, 45, 200);
}
