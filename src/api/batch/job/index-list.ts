import { quote } from '../../../base/quote.ts';

/**
 * The texts that name completion indexes, `0,2-4,7`, as validation reads them: by upstream's rules and
 * with its error texts. (plan/job reads what is stored, leniently.)
 */

/** An ascending run of indexes, both ends included. */
export interface IndexInterval {
	readonly first: number;
	readonly last: number;
}

/** How many indexes a text names, or what is wrong with it. */
export type IndexList =
	| { readonly ok: true; readonly size: number }
	| { readonly ok: false; readonly error: string };

/** Reads `text`; every index must be below `completions`, and each larger than the one before. */
export function parseIndexList(text: string, completions: number): IndexList {
	let size = 0;
	let previous: number | undefined;
	for (const fragment of fragmentsOf(text)) {
		const interval = parseInterval(fragment, completions);
		if (typeof interval === 'string') return { ok: false, error: interval };
		const { first, last } = interval;
		if (previous !== undefined && previous >= first)
			return { ok: false, error: notIncreasing(previous, first) };
		size += last - first + 1;
		previous = last;
	}
	return { ok: true, size };
}

/**
 * The first index that both texts name, or undefined. Fragments that cannot be read are passed over: that
 * they cannot is said elsewhere.
 */
export function firstCommonIndex(a: string, b: string, completions: number): number | undefined {
	const ours = readableIntervals(a, completions);
	const theirs = readableIntervals(b, completions);
	let i = 0;
	let j = 0;
	for (let one = ours[0], other = theirs[0]; one && other; ) {
		if (one.first <= other.last && other.first <= one.last) return Math.max(one.first, other.first);
		if (one.first <= other.first) one = ours[++i];
		else other = theirs[++j];
	}
	return undefined;
}

function readableIntervals(text: string, completions: number): readonly IndexInterval[] {
	return fragmentsOf(text).flatMap((fragment) => {
		const interval = parseInterval(fragment, completions);
		return typeof interval === 'string' ? [] : [interval];
	});
}

function fragmentsOf(text: string): readonly string[] {
	return text === '' ? [] : text.split(',');
}

/** The interval, or what is wrong with the fragment. */
function parseInterval(fragment: string, completions: number): IndexInterval | string {
	const parts = fragment.split('-');
	if (parts.length > 2) {
		const rule =
			"violates the requirement that an index interval can have at most two parts separated by '-'";
		return `the fragment ${quote(fragment)} ${rule}`;
	}
	for (const part of parts) {
		if (!isGoInteger(part)) return `cannot convert string to integer for index: ${quote(part)}`;
		if (Number(part) >= completions) return `too large index: ${quote(part)}`;
	}
	const first = Number(parts[0]);
	const last = Number(parts.at(-1));
	return parts.length === 2 && first >= last ? notIncreasing(first, last) : { first, last };
}

function notIncreasing(previous: number, current: number): string {
	return `non-increasing order, previous: ${previous}, current: ${current}`;
}

/** What Go's Atoi takes; a minus cannot occur here, since it separates the ends of an interval. */
function isGoInteger(text: string): boolean {
	return /^\+?\d+$/.test(text) && BigInt(text.replace('+', '')) < 1n << 63n;
}
