/**
 * Time zones of the IANA database by the rules of Go's time.LoadLocation: names are case sensitive, and an
 * offset such as `+01:00` is no name.
 */

/** Go's error text for an unknown or invalid zone name; undefined if the zone exists. */
export function timeZoneProblem(name: string): string | undefined {
	if (name === '' || name === 'Local') return undefined;
	if (name.split('/').includes('..') || name.startsWith('/') || name.includes('\\')) {
		return 'time: invalid location name';
	}
	return knownName(name) === name ? undefined : `unknown time zone ${name}`;
}

const EPOCH = Temporal.Instant.fromEpochMilliseconds(0);
const knownNames = new Map<string, string | undefined>();
const MOST_KNOWN_NAMES = 1000;

/**
 * The canonical spelling of a zone's name, in whatever case `name` is written; undefined for an unknown zone.
 * The cache is bounded, since clients choose the names.
 */
function knownName(name: string): string | undefined {
	if (knownNames.has(name)) return knownNames.get(name);
	if (knownNames.size >= MOST_KNOWN_NAMES) knownNames.clear();
	const known = /^[A-Za-z]/.test(name) ? lookUp(name) : undefined;
	knownNames.set(name, known);
	return known;
}

function lookUp(name: string): string | undefined {
	try {
		return EPOCH.toZonedDateTimeISO(name).timeZoneId;
	} catch {
		return undefined;
	}
}

/** The zone for a name in a schedule: empty and `Local` mean the server's zone, which is always UTC. */
export function zoneNamed(name: string): string {
	return name === '' || name === 'Local' ? 'UTC' : name;
}

/** A wall clock reading. Months and days count from 1, weekdays from 0, Sunday. */
export interface WallTime {
	readonly year: number;
	readonly month: number;
	readonly day: number;
	readonly hour: number;
	readonly minute: number;
	readonly weekday: number;
}

/** The wall clock of `zone` at the instant `ms`. */
export function wallTime(ms: number, zone: string): WallTime {
	const shown = new Date(ms + offsetMs(ms, zone));
	return {
		year: shown.getUTCFullYear(),
		month: shown.getUTCMonth() + 1,
		day: shown.getUTCDate(),
		hour: shown.getUTCHours(),
		minute: shown.getUTCMinutes(),
		weekday: shown.getUTCDay(),
	};
}

/**
 * The instant at which the wall clock of `zone` shows a time. Months and days beyond their range overflow
 * into the next year or month. A time that does not exist, or exists twice, resolves as in Go's time.Date: by
 * the offset in force at the same time in UTC or, if that leads across a clock change, by the one after it.
 */
export function instantOf(
	{ year, month, day, hour, minute }: Omit<WallTime, 'weekday'>,
	zone: string,
): number {
	const naive = Date.UTC(year, month - 1, day, hour, minute);
	const offset = offsetMs(naive, zone);
	const actual = offsetMs(naive - offset, zone);
	return naive - actual;
}

/** The offset of a zone from UTC between two clock changes: valid from `fromMs` to before `untilMs`. */
interface OffsetPeriod {
	readonly fromMs: number;
	readonly untilMs: number;
	readonly offsetMs: number;
}

/**
 * The offset period of the last lookup, by zone. A search looks up many instants that lie close together, and
 * calling Temporal for each took most of the time of a thousand CronJobs that were due at the same time.
 */
const periods = new Map<string, OffsetPeriod>();

function offsetMs(ms: number, zone: string): number {
	return zone === 'UTC' ? 0 : periodOf(ms, zone).offsetMs;
}

/** Whether `zone` has no clock change between `fromMs` and the later `untilMs`. */
export function isSteady(fromMs: number, untilMs: number, zone: string): boolean {
	return zone === 'UTC' || untilMs < periodOf(fromMs, zone).untilMs;
}

function periodOf(ms: number, zone: string): OffsetPeriod {
	const known = periods.get(zone);
	if (known && known.fromMs <= ms && ms < known.untilMs) return known;
	if (periods.size >= MOST_KNOWN_NAMES) periods.clear();
	const period = periodAt(ms, zone);
	periods.set(zone, period);
	return period;
}

function periodAt(ms: number, zone: string): OffsetPeriod {
	const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
	// A change at this very instant starts the period, but Temporal's `previous` returns only earlier ones.
	const from = at.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
	const until = at.getTimeZoneTransition('next');
	return {
		fromMs: from?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
		untilMs: until?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
		offsetMs: at.offsetNanoseconds / 1e6,
	};
}

/** The instant in `zone` as RFC 3339 text: `2026-01-31T09:00:00+01:00`, with a `Z` for UTC. */
export function zonedTime(ms: number, zone: string): string {
	const text = Temporal.Instant.fromEpochMilliseconds(ms)
		.toZonedDateTimeISO(zone)
		.toString({ smallestUnit: 'second', timeZoneName: 'never' });
	return text.replace(/\+00:00$/, 'Z');
}
