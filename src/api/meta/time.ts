/**
 * Parses and formats times. In code a time is in milliseconds since 1970; in objects it is RFC 3339 text in
 * UTC, in whole seconds (metav1.Time) or with six decimals (metav1.MicroTime).
 */

/**
 * Formats the second that contains `ms`: `2026-01-31T08:00:00Z`. RFC 3339 ends with the year 9999, so later
 * times are formatted as its last second (a grace period of 64 bits can lead beyond).
 */
export function formatTime(ms: number): string {
	const second = Math.floor(Math.min(ms, LAST_MS) / 1000);
	if (second !== lastSecond) {
		lastText = `${new Date(second * 1000).toISOString().slice(0, -5)}Z`;
		lastSecond = second;
	}
	return lastText;
}

const LAST_MS = 253_402_300_799_999;

/** The last result: a busy server formats thousands of times a second, most of them in the same second. */
let lastText = '';
let lastSecond = Number.NaN;

/** Formats `ms` with six decimals: `2026-01-31T08:00:00.123000Z`. */
export function formatMicroTime(ms: number): string {
	return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}

/** Parses RFC 3339 text to milliseconds since 1970, cutting finer fractions; undefined if it is invalid. */
export function parseTime(text: string): number | undefined {
	if (CANONICAL_FORM.test(text)) {
		// Date.parse accepts a day that does not exist (February 30) and returns one in the next month.
		const ms = Date.parse(text);
		return Number.isNaN(ms) || !sameDay(ms, text) ? undefined : ms;
	}
	const parts = RFC3339_FORM.exec(text);
	if (!parts) return undefined;
	const [, date = '', clock = '', fraction = '', zone = ''] = parts;
	const ms = Date.parse(`${date}T${clock}Z`);
	if (Number.isNaN(ms) || !sameDay(ms, date)) return undefined;
	const offsetMs = zoneOffsetMs(zone);
	if (offsetMs === undefined) return undefined;
	return ms + Math.floor(Number(`0${fraction.replace(',', '.') || '.0'}`) * 1000) - offsetMs;
}

/** The time in a field that decoding has validated, in milliseconds since 1970. */
export function timeOf(text: string): number;
/** As above for a field that may be absent or null: undefined then. */
export function timeOf(text: string | null | undefined): number | undefined;
/** The implementation of both overloads. */
export function timeOf(text: string | null | undefined): number | undefined {
	return text === undefined || text === null ? undefined : (parseTime(text) ?? 0);
}

/** The canonical spelling in whole seconds (a fraction is cut); undefined if the text is not RFC 3339. */
export function canonicalTime(text: string): string | undefined {
	const ms = parseTime(text);
	if (ms === undefined) return undefined;
	return CANONICAL_FORM.test(text) ? text : formatTime(ms);
}

/** The canonical spelling with six decimals; undefined if the text is not RFC 3339. */
export function canonicalMicroTime(text: string): string | undefined {
	const ms = parseTime(text);
	if (ms === undefined) return undefined;
	const fraction = /[.,](\d+)/.exec(text)?.[1] ?? '';
	return `${formatTime(ms).slice(0, -1)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

const CANONICAL_FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const RFC3339_FORM = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/;

function sameDay(ms: number, text: string): boolean {
	return new Date(ms).getUTCDate() === Number(text.slice(8, 10));
}

function zoneOffsetMs(zone: string): number | undefined {
	if (zone === 'Z') return 0;
	const hours = Number(zone.slice(1, 3));
	const minutes = Number(zone.slice(4, 6));
	if (hours > 24 || minutes > 59) return undefined;
	const offsetMs = (hours * 60 + minutes) * 60_000;
	return zone.startsWith('-') ? -offsetMs : offsetMs;
}
