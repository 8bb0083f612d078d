import assert from 'node:assert/strict';
import test from 'node:test';
import { nextTime, parseCron } from './cron-expression.ts';

/** The next time in the wall clock of `zone`. */
function next(text: string, after: string, zone = 'UTC'): string | undefined {
	const parsed = parseCron(text);
	assert.ok(parsed.ok, text);
	const ms = nextTime(parsed.expression, Temporal.Instant.from(after).epochMilliseconds, zone);
	if (ms === undefined) return undefined;
	return Temporal.Instant.fromEpochMilliseconds(ms)
		.toZonedDateTimeISO(zone)
		.toString({ smallestUnit: 'second', timeZoneName: 'never' });
}

test('nextTime() returns the first time after the given one that the schedule matches', () => {
	const rows: readonly (readonly [text: string, after: string, expected: string | undefined])[] = [
		['* * * * *', '2026-01-31T08:00:00Z', '2026-01-31T08:01:00+00:00'],
		['* * * * *', '2026-01-31T08:00:59.999Z', '2026-01-31T08:01:00+00:00'],
		['*/15 * * * *', '2026-01-31T08:46:00Z', '2026-01-31T09:00:00+00:00'],
		['5/20 * * * *', '2026-01-31T08:26:00Z', '2026-01-31T08:45:00+00:00'],
		['0 5 * * *', '2026-01-31T08:00:00Z', '2026-02-01T05:00:00+00:00'],
		['0 0 1 jan ?', '2026-01-31T08:00:00Z', '2027-01-01T00:00:00+00:00'],
		['0 0 29 2 *', '2026-01-31T08:00:00Z', '2028-02-29T00:00:00+00:00'],
		['0 0 30 2 *', '2026-01-31T08:00:00Z', undefined],
		['0 0 , * *', '2026-01-31T08:00:00Z', undefined],
		['0 0 * * MON-fri', '2026-01-31T08:00:00Z', '2026-02-02T00:00:00+00:00'],
		['0 0 13 * fri', '2026-01-31T08:00:00Z', '2026-02-06T00:00:00+00:00'],
		['0 0 13 * *', '2026-01-31T08:00:00Z', '2026-02-13T00:00:00+00:00'],
		['0 0 */1 * 1', '2026-01-31T08:00:00Z', '2026-02-02T00:00:00+00:00'],
		['0 0 */2 * 1', '2026-02-01T00:00:00Z', '2026-02-02T00:00:00+00:00'],
		['@hourly', '2026-01-31T08:00:00Z', '2026-01-31T09:00:00+00:00'],
		['@daily', '2026-01-31T08:00:00Z', '2026-02-01T00:00:00+00:00'],
		['@weekly', '2026-01-31T08:00:00Z', '2026-02-01T00:00:00+00:00'],
		['@monthly', '2026-01-31T08:00:00Z', '2026-02-01T00:00:00+00:00'],
		['@yearly', '2026-01-31T08:00:00Z', '2027-01-01T00:00:00+00:00'],
		['@every 1h30m', '2026-01-31T08:00:00.500Z', '2026-01-31T09:30:00+00:00'],
		['@every 1.9s', '2026-01-31T08:00:00Z', '2026-01-31T08:00:01+00:00'],
		['@every 1ms', '2026-01-31T08:00:00Z', '2026-01-31T08:00:01+00:00'],
		['TZ=America/New_York 0 5 * * *', '2026-01-31T08:00:00Z', '2026-01-31T10:00:00+00:00'],
		['CRON_TZ=Asia/Tokyo 0 5 * * *', '2026-01-31T08:00:00Z', '2026-01-31T20:00:00+00:00'],
	];
	for (const [text, after, expected] of rows) assert.equal(next(text, after), expected, text);
});

test('nextTime() follows the clock changes of the zone', () => {
	const rows: readonly (readonly [text: string, zone: string, after: string, expected: string])[] = [
		// 02:00 to 03:00 is skipped on March 29.
		['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T02:30:00+02:00'],
		['0 * * * *', 'Europe/Berlin', '2026-03-29T00:30:00Z', '2026-03-29T03:00:00+02:00'],
		// 02:00 to 03:00 is repeated on October 25.
		['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T02:30:00+02:00'],
		['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T02:30:00+01:00'],
		['30 2 * * *', 'Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-26T02:30:00+01:00'],
		// This day had no midnight.
		['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-05T00:00:00-02:00'],
		['30 * 4 11 *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', '2018-11-04T01:30:00-02:00'],
		['0 5 * * *', 'Asia/Kolkata', '2026-01-31T08:00:00Z', '2026-02-01T05:00:00+05:30'],
	];
	for (const [text, zone, after, expected] of rows)
		assert.equal(next(text, after, zone), expected, `${text} ${after}`);
});

test("parseCron() reports errors in the library's words", () => {
	const rows: readonly (readonly [text: string, error: string])[] = [
		['', 'empty spec string'],
		['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
		['* * * * * *', 'expected exactly 5 fields, found 6: [* * * * * *]'],
		['@never', 'unrecognized descriptor: @never'],
		['@every', 'unrecognized descriptor: @every'],
		['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
		['@every 5', 'failed to parse duration @every 5: time: missing unit in duration "5"'],
		['@every 5d', 'failed to parse duration @every 5d: time: unknown unit "d" in duration "5d"'],
		['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
		['-1 * * * *', 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
		['*/-5 * * * *', 'negative number (-5) not allowed: -5'],
		['60 * * * *', 'end of range (60) above maximum (59): 60'],
		['70/5 * * * *', 'beginning of range (70) beyond end of range (59): 70/5'],
		['* 24 * * *', 'end of range (24) above maximum (23): 24'],
		['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
		['* * * 13 *', 'end of range (13) above maximum (12): 13'],
		['* * * * 7', 'end of range (7) above maximum (6): 7'],
		['5-2 * * * *', 'beginning of range (5) beyond end of range (2): 5-2'],
		['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
		['*/2/3 * * * *', 'too many slashes: */2/3'],
		['*/0 * * * *', 'step of range should be a positive number: */0'],
		['* * * * mo', 'failed to parse int from mo: strconv.Atoi: parsing "mo": invalid syntax'],
		['TZ=Nowhere * * * * *', 'provided bad location Nowhere: unknown time zone Nowhere'],
		['TZ=0', 'invalid schedule format: runtime error: slice bounds out of range [:-1]'],
	];
	for (const [text, error] of rows) assert.deepEqual(parseCron(text), { ok: false, error }, text);
});

test('nextTime() skips no matching minute', () => {
	const parsed = parseCron('7,37 3-5/2 1-10 * 2');
	assert.ok(parsed.ok && parsed.expression.type === 'fields');
	const { minutes, hours, days, weekdays } = parsed.expression;
	let ms = Date.UTC(2026, 0, 1);
	let due = nextTime(parsed.expression, ms, 'UTC') ?? 0;
	for (let count = 0; count < 60 * 24 * 40; count++) {
		ms += 60_000;
		const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO('UTC');
		const matches =
			minutes.has(at.minute) && hours.has(at.hour) && (days.has(at.day) || weekdays.has(at.dayOfWeek % 7));
		assert.equal(ms === due, matches, at.toString());
		if (ms === due) due = nextTime(parsed.expression, ms, 'UTC') ?? 0;
	}
});
