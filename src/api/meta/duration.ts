/** Formats durations as kubectl prints them. All functions take milliseconds. */

import { parseTime } from './time.ts';

/**
 * Up to two units (upstream: HumanDuration): `59s`, `2m5s`, `3h12m`, `5d4h`, `2y30d`; `<invalid>` for the
 * future.
 */
export function humanDuration(ms: number): string {
	const seconds = Math.trunc(ms / 1000);
	// Clocks of two machines differ a little, so a second in the future counts as now.
	if (seconds < -1) return '<invalid>';
	if (seconds < 0) return '0s';
	if (seconds < 2 * MINUTE) return `${seconds}s`;
	if (seconds < 10 * MINUTE) return twoParts(seconds, 'm', 's');
	if (seconds < 3 * HOUR) return `${Math.floor(seconds / MINUTE)}m`;
	if (seconds < 8 * HOUR) return twoParts(seconds, 'h', 'm');
	if (seconds < 48 * HOUR) return `${Math.floor(seconds / HOUR)}h`;
	if (seconds < 8 * DAY) return twoParts(seconds, 'd', 'h');
	if (seconds < 2 * YEAR) return `${Math.floor(seconds / DAY)}d`;
	if (seconds < 8 * YEAR) return twoParts(seconds, 'y', 'd');
	return `${Math.floor(seconds / YEAR)}y`;
}

/** The time from `timestamp` to `now`, for AGE columns; `<unknown>` if it is absent. */
export function ageOf(timestamp: string | null | undefined, now: number): string {
	const then = timestamp ? parseTime(timestamp) : undefined;
	return then === undefined ? '<unknown>' : humanDuration(now - then);
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** The length of each unit in seconds. */
const UNITS = { s: 1, m: MINUTE, h: HOUR, d: DAY, y: YEAR };

function twoParts(seconds: number, large: keyof typeof UNITS, small: keyof typeof UNITS): string {
	const rest = Math.floor((seconds % UNITS[large]) / UNITS[small]);
	const whole = `${Math.floor(seconds / UNITS[large])}${large}`;
	return rest === 0 ? whole : `${whole}${rest}${small}`;
}
