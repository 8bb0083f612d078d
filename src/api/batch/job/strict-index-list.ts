/**
 * Parses lists of completion indexes, `0,2-4,7`, for validation: by upstream's rules and with its error
 * texts. Lists that are stored already are read by plan/job/index-set.ts, which skips what is invalid.
 */

import { quote } from '../../../base/quote.ts';

/** The number of indexes in a list, or upstream's error text. */
export type IndexList =
	| { readonly ok: true; readonly size: number }
	| { readonly ok: false; readonly error: string };

/**
 * Parses `text`. Indexes must be below `completions` and strictly ascending; the first violation is the
 * error.
 */
export function parseIndexList(text: string, completions: number): IndexList {
	const fragments = new FragmentReader(text, completions);
	let size = 0;
	let previous: number | undefined;
	while (fragments.next()) {
		const { first, last, error } = fragments;
		if (error !== undefined) return { ok: false, error };
		if (previous !== undefined && previous >= first)
			return { ok: false, error: notIncreasing(previous, first) };
		size += last - first + 1;
		previous = last;
	}
	return { ok: true, size };
}

/**
 * The lowest index that both lists contain, or undefined. Invalid fragments are skipped: the rules for each
 * list alone report them.
 */
export function firstCommonIndex(a: string, b: string, completions: number): number | undefined {
	const ours = new FragmentReader(a, completions);
	const theirs = new FragmentReader(b, completions);
	let isMore = ours.nextReadable() && theirs.nextReadable();
	while (isMore) {
		if (ours.first <= theirs.last && theirs.first <= ours.last) return Math.max(ours.first, theirs.first);
		isMore = ours.first <= theirs.first ? ours.nextReadable() : theirs.nextReadable();
	}
	return undefined;
}

/**
 * Reads the fragments of a list one by one. A fragment is an index or a range, both ends included.
 *
 * A status of 3 MB can contain 500,000 indexes, or one index of a million digits. So the reader parses digits
 * in place, once, without substrings: splitting into strings took 150 ms, and BigInt of a million digits
 * 600 ms, in the one thread that serves all requests.
 */
class FragmentReader {
	readonly #text: string;
	readonly #completions: number;
	/** The offset at which the next fragment starts. */
	#at: number;
	/** The offset of the first dash at or after the last search; Infinity if no dash follows. */
	#dash = -1;
	/** The first and last index of the current fragment; meaningless if it has an {@link error}. */
	first = 0;
	last = 0;
	/**
	 * The error of the current fragment, and the part of the text that it shows. It is formatted only on demand:
	 * a million fragments can have one, and a closure for each took half the time of the search.
	 */
	#problem: Problem = 'none';
	#shownFrom = 0;
	#shownTo = 0;

	constructor(text: string, completions: number) {
		this.#text = text;
		this.#completions = completions;
		// An empty text has no fragment; every other one has one more fragment than it has commas.
		this.#at = text === '' ? 1 : 0;
	}

	/** Reads the next fragment. Returns false at the end of the text. */
	next(): boolean {
		if (this.#at > this.#text.length) return false;
		const start = this.#at;
		const comma = this.#text.indexOf(',', start);
		const end = comma < 0 ? this.#text.length : comma;
		this.#at = end + 1;
		this.#problem = this.#read(start, end);
		return true;
	}

	/** Reads up to the next fragment without an error. Returns false at the end of the text. */
	nextReadable(): boolean {
		while (this.next()) if (this.#problem === 'none') return true;
		return false;
	}

	/** The error of the current fragment, or undefined. */
	get error(): string | undefined {
		return this.#problem === 'none' ? undefined : this.#errorOf(this.#problem);
	}

	#errorOf(problem: Exclude<Problem, 'none'>): string {
		switch (problem) {
			case 'several dashes':
				return `the fragment ${this.#shown()} violates the requirement that an index interval can have at most two parts separated by '-'`;
			case 'no number':
				return `cannot convert string to integer for index: ${this.#shown()}`;
			case 'too large':
				return `too large index: ${this.#shown()}`;
			case 'not increasing':
				return notIncreasing(this.first, this.last);
		}
	}

	#read(start: number, end: number): Problem {
		const dash = this.#dashFrom(start);
		if (dash >= end) {
			this.first = this.#indexIn(start, end);
			this.last = this.first;
			return this.#problemOf(this.first, start, end);
		}
		if (this.#dashFrom(dash + 1) < end) {
			this.#shownFrom = start;
			this.#shownTo = end;
			return 'several dashes';
		}
		this.first = this.#indexIn(start, dash);
		this.last = this.#indexIn(dash + 1, end);
		const ofFirst = this.#problemOf(this.first, start, dash);
		if (ofFirst !== 'none') return ofFirst;
		const ofLast = this.#problemOf(this.last, dash + 1, end);
		if (ofLast !== 'none') return ofLast;
		return this.first < this.last ? 'none' : 'not increasing';
	}

	/** Finds each dash once: a search to the end of the text for each fragment would be quadratic. */
	#dashFrom(start: number): number {
		if (this.#dash >= start) return this.#dash;
		const found = this.#text.indexOf('-', start);
		this.#dash = found < 0 ? Number.POSITIVE_INFINITY : found;
		return this.#dash;
	}

	/** Parses a part of the text as Go's strconv.Atoi does; NaN if Atoi returns an error. */
	#indexIn(start: number, end: number): number {
		const text = this.#text;
		if (start === end) return Number.NaN;
		let at = text.charCodeAt(start) === PLUS ? start + 1 : start;
		if (at === end) return Number.NaN;
		while (at < end - 1 && text.charCodeAt(at) === ZERO) at++;
		const length = end - at;
		// Out of range or no number: NaN in both cases, so a number of megabytes is not read twice.
		if (length > MAX_INT64.length) return Number.NaN;
		let value = 0;
		for (let i = at; i < end; i++) {
			const digit = text.charCodeAt(i) - ZERO;
			if (digit < 0 || digit > 9) return Number.NaN;
			value = value * 10 + digit;
		}
		if (length < MAX_INT64.length) return value;
		return text.slice(at, end) <= MAX_INT64 ? value : Number.NaN;
	}

	#problemOf(index: number, start: number, end: number): Problem {
		if (index < this.#completions) return 'none';
		this.#shownFrom = start;
		this.#shownTo = end;
		return Number.isNaN(index) ? 'no number' : 'too large';
	}

	/** Quotes at most {@link MOST_QUOTED} characters: errors are cut to fewer when they are shown. */
	#shown(): string {
		return quote(this.#text.slice(this.#shownFrom, Math.min(this.#shownTo, this.#shownFrom + MOST_QUOTED)));
	}
}

/** What is wrong with a fragment. */
type Problem = 'none' | 'several dashes' | 'no number' | 'too large' | 'not increasing';

const PLUS = 43;
const ZERO = 48;
const MAX_INT64 = '9223372036854775807';
const MOST_QUOTED = 4000;

function notIncreasing(previous: number, current: number): string {
	return `non-increasing order, previous: ${previous}, current: ${current}`;
}
