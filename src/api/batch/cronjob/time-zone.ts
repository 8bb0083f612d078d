/**
 * Time zones of the IANA database by Go's rules: names are case sensitive, and what looks like an offset
 * is none.
 */

/** What Go says of a name that no zone has, or undefined where there is such a zone. */
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

/** The zone's name in its right spelling, where there is one of that name in any spelling. */
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

/** The zone that a name means: empty and Local mean the server's, which is UTC. */
export function zoneNamed(name: string): string {
	return name === '' || name === 'Local' ? 'UTC' : name;
}

/** The date and clock that a zone shows at an instant; weekdays count from Sunday, 0. */
export interface WallTime {
	readonly year: number;
	readonly month: number;
	readonly day: number;
	readonly hour: number;
	readonly minute: number;
	readonly weekday: number;
}

/** What the clocks of `zone` show at `ms`. */
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
 * The instant at which the clocks of `zone` show a time; months and days beyond their end run over. A time
 * that does not exist or exists twice is taken as Go takes it: by the offset in force at the same time of
 * UTC or, where that leads across a change, by the one in force there.
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

/** How far the clocks of a zone are ahead of UTC, from one change of them to the next. */
interface OffsetPeriod {
	readonly fromMs: number;
	readonly untilMs: number;
	readonly offsetMs: number;
}

/**
 * The period that was asked for last, by zone. A search asks for many instants that lie close together,
 * and asking Temporal for each took most of the time of a thousand CronJobs that were due at once.
 */
const periods = new Map<string, OffsetPeriod>();

function offsetMs(ms: number, zone: string): number {
	return zone === 'UTC' ? 0 : periodOf(ms, zone).offsetMs;
}

/** Whether the clocks of `zone` are not changed between the two instants, of which the second is the later. */
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
	// A change at this very instant is the beginning of the period, and only those before are `previous`.
	const from = at.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
	const until = at.getTimeZoneTransition('next');
	return {
		fromMs: from?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
		untilMs: until?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
		offsetMs: at.offsetNanoseconds / 1e6,
	};
}

/** The instant as the clocks of `zone` show it, in RFC 3339: `2026-01-31T09:00:00+01:00`, in UTC with a Z. */
export function zonedTime(ms: number, zone: string): string {
	const text = Temporal.Instant.fromEpochMilliseconds(ms)
		.toZonedDateTimeISO(zone)
		.toString({ smallestUnit: 'second', timeZoneName: 'never' });
	return text.replace(/\+00:00$/, 'Z');
}
