/**
 * The texts that name completion indexes, `0,2-4,7`, as validation reads them: by upstream's rules and
 * with its error texts. (plan/job reads what is stored, leniently.)
 */

/** An ascending run of indexes, both ends included. */
export interface IndexInterval {
	readonly first: number;
	readonly last: number;
}

/** What a text names, or what is wrong with it. */
export type IndexList =
	| { readonly ok: true; readonly intervals: readonly IndexInterval[]; readonly size: number }
	| { readonly ok: false; readonly error: string };

/** Reads `text`; every index must be below `completions`, and each larger than the one before. */
export function parseIndexList(text: string, completions: number): IndexList {
	if (text === '') return { ok: true, intervals: [], size: 0 };
	const intervals: IndexInterval[] = [];
	let size = 0;
	let previous: number | undefined;
	for (const fragment of text.split(',')) {
		const parts = fragment.split('-');
		if (parts.length > 2) {
			const rule =
				"violates the requirement that an index interval can have at most two parts separated by '-'";
			return { ok: false, error: `the fragment ${JSON.stringify(fragment)} ${rule}` };
		}
		for (const part of parts) {
			const problem = problemWith(part, previous, completions);
			if (problem) return { ok: false, error: problem };
			previous = Number(part);
		}
		const interval = { first: Number(parts[0]), last: Number(parts.at(-1)) };
		size += interval.last - interval.first + 1;
		intervals.push(interval);
	}
	return { ok: true, intervals, size };
}

/** The first index that both lists name, or undefined. */
export function firstCommonIndex(
	a: readonly IndexInterval[],
	b: readonly IndexInterval[],
): number | undefined {
	let i = 0;
	let j = 0;
	for (let one = a[0], other = b[0]; one && other; ) {
		const first = Math.max(one.first, other.first);
		if (first <= Math.min(one.last, other.last)) return first;
		if (one.last < other.last) one = a[++i];
		else other = b[++j];
	}
	return undefined;
}

function problemWith(part: string, previous: number | undefined, completions: number): string | undefined {
	if (!/^[+-]?\d+$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
	const index = Number(part);
	if (previous !== undefined && previous >= index) {
		return `non-increasing order, previous: ${previous}, current: ${index}`;
	}
	return index >= completions ? `too large index: ${JSON.stringify(part)}` : undefined;
}
