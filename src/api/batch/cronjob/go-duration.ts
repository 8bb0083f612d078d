import { quote } from '../../../base/quote.ts';

/** A parsed Go duration (`1h30m`) in milliseconds, or the error text of Go's time.ParseDuration. */
export type GoDuration =
	| { readonly ok: true; readonly ms: number }
	| { readonly ok: false; readonly error: string };

const UNITS_MS: Readonly<Record<string, number>> = {
	ns: 1e-6,
	us: 1e-3,
	µs: 1e-3,
	μs: 1e-3,
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
};

/** The longest duration that Go can hold, in milliseconds. */
const LONGEST_MS = 2 ** 63 / 1e6;

/** Parses a duration: a sequence of numbers with units, with an optional sign at the start. */
export function parseGoDuration(text: string): GoDuration {
	const fail = (problem: string): GoDuration => ({ ok: false, error: `time: ${problem}` });
	const invalid = `invalid duration ${quote(text)}`;
	const [, sign = '', digits = ''] = /^([-+]?)(.*)$/s.exec(text) ?? [];
	if (digits === '0') return { ok: true, ms: 0 };
	if (digits === '') return fail(invalid);
	let ms = 0;
	// The unit is everything up to the next digit or dot, so that an unknown unit is reported whole, as Go
	// does.
	for (let rest = digits; rest !== ''; ) {
		const [all = '', number = '', unit = ''] = /^(\d*\.?\d*)([^\d.]*)/.exec(rest) ?? [];
		if (!/\d/.test(number)) return fail(invalid);
		if (unit === '') return fail(`missing unit in duration ${quote(text)}`);
		const factor = Object.hasOwn(UNITS_MS, unit) ? UNITS_MS[unit] : undefined;
		if (factor === undefined) return fail(`unknown unit ${quote(unit)} in duration ${quote(text)}`);
		ms += Number(number) * factor;
		rest = rest.slice(all.length);
	}
	if (ms >= LONGEST_MS) return fail(invalid);
	return { ok: true, ms: sign === '-' ? -ms : ms };
}
