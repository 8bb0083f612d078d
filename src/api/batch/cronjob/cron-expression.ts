/**
 * The language of CronJob schedules: five fields of cron or a descriptor, parsed as upstream's library
 * (robfig/cron v3, ParseStandard) parses them, with its error texts.
 *
 * 1. A `?` means the same as a `*`; days of the week go from 0, Sunday, to 6, Saturday.
 * 2. If day of month or day of week is a bare star, a day must match both fields; otherwise either suffices.
 * 3. Next times follow the wall clock of the zone: an hour that a clock change skips never matches, and one
 *    that a change repeats may match twice. The search ends after five years.
 *
 * A library from npm would bring rules and error texts of its own, and users see both.
 */

import { quote } from '../../../base/quote.ts';
import { parseGoDuration } from './go-duration.ts';
import { instantOf, isSteady, timeZoneProblem, type WallTime, wallTime, zoneNamed } from './time-zone.ts';

/**
 * When a Job is due: at the minutes that match five fields, or at a fixed distance from the previous time.
 */
export type CronExpression =
	| {
			readonly type: 'fields';
			readonly minutes: ReadonlySet<number>;
			readonly hours: ReadonlySet<number>;
			readonly days: ReadonlySet<number>;
			readonly months: ReadonlySet<number>;
			readonly weekdays: ReadonlySet<number>;
			/** Whether day of month or day of week is a bare star, so that a day must match both. */
			readonly anyDay: boolean;
			/** The time zone that the expression itself names, as in `TZ=Europe/Berlin 0 5 * * *`. */
			readonly zone?: string;
	  }
	| { readonly type: 'every'; readonly ms: number };

/** The parsed expression, or upstream's error text. */
export type ParsedCron =
	| { readonly ok: true; readonly expression: CronExpression }
	| { readonly ok: false; readonly error: string };

/** Parses a schedule. Never throws: an invalid one is an error in the result. */
export function parseCron(text: string): ParsedCron {
	try {
		return { ok: true, expression: parse(text) };
	} catch (error) {
		if (error instanceof CronError) return { ok: false, error: error.message };
		throw error;
	}
}

/**
 * The first scheduled time after `afterMs`, in milliseconds since 1970. `zone` is an IANA name, which a zone
 * in the expression overrides. Undefined if no time within five years matches (February 30).
 */
export function nextTime(expression: CronExpression, afterMs: number, zone: string): number | undefined {
	// Schedules have a resolution of seconds, so the search starts with the next whole second.
	const seconds = Math.floor(afterMs / 1000) * 1000;
	if (expression.type === 'every') return seconds + expression.ms;
	return search(expression, seconds + 1000, expression.zone ?? zone);
}

/** Upstream has no limit. Here parsing takes time in the one thread that serves all requests. */
const LONGEST_TEXT = 10_000;

class CronError extends Error {
	override readonly name = 'CronError';
}

function parse(text: string): CronExpression {
	if (text === '') throw new CronError('empty spec string');
	if (text.length > LONGEST_TEXT) {
		throw new CronError(`a schedule has at most ${LONGEST_TEXT} characters, and this one ${text.length}`);
	}
	const { zone, rest } = splitZone(text);
	if (rest.startsWith('@')) return { ...parseDescriptor(rest), ...(zone !== undefined && { zone }) };
	const fields = rest.split(/\s+/).filter((field) => field !== '');
	if (fields.length !== 5) {
		throw new CronError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
	}
	const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
	const minutes = parseField(minute, MINUTE);
	const hours = parseField(hour, HOUR);
	const days = parseField(day, DAY);
	const months = parseField(month, MONTH);
	const weekdays = parseField(weekday, WEEKDAY);
	return {
		type: 'fields',
		minutes: minutes.values,
		hours: hours.values,
		days: days.values,
		months: months.values,
		weekdays: weekdays.values,
		anyDay: days.star || weekdays.star,
		...(zone !== undefined && { zone }),
	};
}

/**
 * Splits off a time zone at the start. Validation refuses new schedules with one; old objects may still have
 * it.
 */
function splitZone(text: string): { readonly zone?: string; readonly rest: string } {
	if (!/^(CRON_)?TZ=/.test(text)) return { rest: text };
	const space = text.indexOf(' ');
	// Upstream's library panics here; the API server recovers and reports the panic in these words.
	if (space < 0)
		throw new CronError('invalid schedule format: runtime error: slice bounds out of range [:-1]');
	const name = text.slice(text.indexOf('=') + 1, space);
	const problem = timeZoneProblem(name);
	if (problem !== undefined) throw new CronError(`provided bad location ${name}: ${problem}`);
	return { zone: zoneNamed(name), rest: text.slice(space).trim() };
}

const DESCRIPTORS: Readonly<Record<string, string>> = {
	'@yearly': '0 0 1 1 *',
	'@annually': '0 0 1 1 *',
	'@monthly': '0 0 1 * *',
	'@weekly': '0 0 * * 0',
	'@daily': '0 0 * * *',
	'@midnight': '0 0 * * *',
	'@hourly': '0 * * * *',
};
const EVERY = '@every ';

function parseDescriptor(text: string): CronExpression {
	const fields = Object.hasOwn(DESCRIPTORS, text) ? DESCRIPTORS[text] : undefined;
	if (fields !== undefined) return parse(fields);
	if (!text.startsWith(EVERY)) throw new CronError(`unrecognized descriptor: ${text}`);
	const duration = parseGoDuration(text.slice(EVERY.length));
	if (!duration.ok) throw new CronError(`failed to parse duration ${text}: ${duration.error}`);
	// As upstream's library: whole seconds, at least one.
	return { type: 'every', ms: Math.max(1000, Math.floor(duration.ms / 1000) * 1000) };
}

interface FieldRules {
	readonly min: number;
	readonly max: number;
	readonly names: readonly string[];
}

const MINUTE: FieldRules = { min: 0, max: 59, names: [] };
const HOUR: FieldRules = { min: 0, max: 23, names: [] };
const DAY: FieldRules = { min: 1, max: 31, names: [] };
const MONTH: FieldRules = {
	min: 1,
	max: 12,
	names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
const WEEKDAY: FieldRules = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

interface ParsedField {
	readonly values: ReadonlySet<number>;
	readonly star: boolean;
}

/**
 * A field is a comma-separated list of ranges. It counts as a star if one of them is `*` or `?` with step 1.
 */
function parseField(text: string, rules: FieldRules): ParsedField {
	const values = new Set<number>();
	let star = false;
	// Upstream ignores empty items, so a field of only `,` matches no value.
	for (const item of text.split(',').filter((part) => part !== '')) {
		const range = parseRange(item, rules);
		for (let value = range.start; value <= range.end; value += range.step) values.add(value);
		star ||= range.star;
	}
	return { values, star };
}

/**
 * One item of a field: `*`, `5`, `1-5`, each with an optional step `/2`. A single number with a step is the
 * start of a range to the maximum.
 */
function parseRange(
	text: string,
	rules: FieldRules,
): { readonly start: number; readonly end: number; readonly step: number; readonly star: boolean } {
	const [range = '', step, ...more] = text.split('/');
	const [low = '', high, ...others] = range.split('-');
	const any = low === '*' || low === '?';
	const start = any ? rules.min : parseNumber(low, rules);
	let end = any ? rules.max : start;
	if (!any && others.length > 0) throw new CronError(`too many hyphens: ${text}`);
	if (!any && high !== undefined) end = parseNumber(high, rules);
	if (more.length > 0) throw new CronError(`too many slashes: ${text}`);
	const by = step === undefined ? 1 : parseInteger(step);
	if (step !== undefined && high === undefined) end = rules.max;
	const refuse = (problem: string): never => {
		throw new CronError(`${problem}: ${text}`);
	};
	if (start < rules.min) refuse(`beginning of range (${start}) below minimum (${rules.min})`);
	if (end > rules.max) refuse(`end of range (${end}) above maximum (${rules.max})`);
	if (start > end) refuse(`beginning of range (${start}) beyond end of range (${end})`);
	if (by === 0) refuse('step of range should be a positive number');
	return { start, end, step: by, star: any && by === 1 };
}

/** A number, or a month or weekday by its English abbreviation in any case. */
function parseNumber(text: string, { names, min }: FieldRules): number {
	const index = names.indexOf(text.toLowerCase());
	return index >= 0 ? index + min : parseInteger(text);
}

function parseInteger(text: string): number {
	if (!/^[-+]?\d+$/.test(text)) throw notAnInteger(text, 'invalid syntax');
	const number = Number(text);
	if (Math.abs(number) >= 2 ** 63) throw notAnInteger(text, 'value out of range');
	if (number < 0) throw new CronError(`negative number (${number}) not allowed: ${text}`);
	return number;
}

function notAnInteger(text: string, problem: string): CronError {
	return new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${quote(text)}: ${problem}`);
}

const YEARS_AHEAD = 5;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Fields = Extract<CronExpression, { readonly type: 'fields' }>;

/**
 * Searches from the largest field to the smallest (upstream: SpecSchedule.Next). A field that does not match
 * is incremented and all smaller ones are reset; if it wraps around, the search restarts at the largest.
 * This repeats the steps of upstream's library, since its results on days without a midnight follow from
 * its steps alone.
 */
function search(fields: Fields, fromMs: number, zone: string): number | undefined {
	const cursor = new ScheduleCursor(Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS, zone);
	const lastYear = wallTime(fromMs, zone).year + YEARS_AHEAD;
	while (cursor.wall.year <= lastYear) {
		const matchesAll =
			cursor.toMonth(({ month }) => fields.months.has(month)) &&
			cursor.toDay((wall) => dayMatches(fields, wall)) &&
			cursor.toHour(fields.hours) &&
			cursor.toMinute(fields.minutes);
		if (matchesAll) return cursor.ms;
	}
	return undefined;
}

function dayMatches({ days, weekdays, anyDay }: Fields, { day, weekday }: WallTime): boolean {
	return anyDay ? days.has(day) && weekdays.has(weekday) : days.has(day) || weekdays.has(weekday);
}

type Matches = (wall: WallTime) => boolean;

/**
 * An instant that the search advances field by field. Each step returns false if its field wrapped around.
 */
class ScheduleCursor {
	ms: number;
	wall: WallTime;
	readonly #zone: string;
	/** Whether a field has been incremented: the smaller ones have then been reset already. */
	#moved = false;

	constructor(ms: number, zone: string) {
		this.ms = ms;
		this.#zone = zone;
		this.wall = wallTime(ms, zone);
	}

	toMonth(matches: Matches): boolean {
		while (!matches(this.wall)) {
			this.#resetSmaller({ day: 1, hour: 0, minute: 0 });
			this.#set({ month: this.wall.month + 1 });
			if (this.wall.month === 1) return false;
		}
		return true;
	}

	toDay(matches: Matches): boolean {
		while (!matches(this.wall)) {
			const before = this.ms;
			this.#resetSmaller({ hour: 0, minute: 0 });
			this.#set({ day: this.wall.day + 1 });
			// Where a clock change skips midnight, the result lies an hour before or after it: move to the start of
			// the day.
			const { hour } = this.wall;
			if (hour !== 0) this.#add((hour > 12 ? 24 - hour : -hour) * HOUR_MS);
			// A zone that moves across the date line skips a whole day; without this the loop would not advance.
			if (this.ms <= before) this.#add(24 * HOUR_MS);
			if (this.wall.day === 1) return false;
		}
		return true;
	}

	toHour(hours: ReadonlySet<number>): boolean {
		while (!hours.has(this.wall.hour)) {
			this.#resetSmaller({ minute: 0 });
			this.#addUntil(hours, { now: this.wall.hour, end: 24, unitMs: HOUR_MS });
			if (this.wall.hour === 0) return false;
		}
		return true;
	}

	toMinute(minutes: ReadonlySet<number>): boolean {
		while (!minutes.has(this.wall.minute)) {
			this.#moved = true;
			this.#addUntil(minutes, { now: this.wall.minute, end: 60, unitMs: MINUTE_MS });
			if (this.wall.minute === 0) return false;
		}
		return true;
	}

	/**
	 * Advances from `now` to the next of `values`, or to the end of the field, in one step. If the clocks change
	 * on the way it advances by one unit only, so that no value is skipped.
	 */
	#addUntil(
		values: ReadonlySet<number>,
		{ now, end, unitMs }: { now: number; end: number; unitMs: number },
	): void {
		let units = 1;
		while (now + units < end && !values.has(now + units)) units += 1;
		const isStraight = isSteady(this.ms, this.ms + units * unitMs, this.#zone);
		this.#add(isStraight ? units * unitMs : unitMs);
	}

	/** Resets the smaller fields, before the first increment only. */
	#resetSmaller(start: Partial<WallTime>): void {
		if (this.#moved) return;
		this.#moved = true;
		this.#set(start);
	}

	#set(change: Partial<WallTime>): void {
		this.ms = instantOf({ ...this.wall, ...change }, this.#zone);
		this.wall = wallTime(this.ms, this.#zone);
	}

	#add(ms: number): void {
		this.ms += ms;
		this.wall = wallTime(this.ms, this.#zone);
	}
}
