/**
 * Error texts for invalid RFC 3339 times. Go's time.Parse matches the text with its layout element by
 * element, and its error names the first element that does not match; so the same is done here.
 */

import { quote as quoteWhole } from '../../base/quote.ts';

/** The error text for an invalid metav1.Time (whole seconds). */
export function timeErrorText(text: string): string {
	return errorText(text, '2006-01-02T15:04:05Z07:00', /^/);
}

/** The error text for an invalid metav1.MicroTime (six decimals). */
export function microTimeErrorText(text: string): string {
	return errorText(text, '2006-01-02T15:04:05.000000Z07:00', /^\.\d{6}/);
}

interface Piece {
	readonly layout: string;
	readonly form: RegExp;
	/** The name of the number in an out-of-range error, and its bounds. */
	readonly range?: readonly [name: string, min: number, max: number];
}

const BEFORE_FRACTION: readonly Piece[] = [
	{ layout: '2006', form: /^\d{4}/ },
	{ layout: '-', form: /^-/ },
	{ layout: '01', form: /^\d\d/, range: ['month', 1, 12] },
	{ layout: '-', form: /^-/ },
	{ layout: '02', form: /^\d\d/ },
	{ layout: 'T', form: /^T/ },
	{ layout: '15', form: /^\d\d/, range: ['hour', 0, 23] },
	{ layout: ':', form: /^:/ },
	{ layout: '04', form: /^\d\d/, range: ['minute', 0, 59] },
	{ layout: ':', form: /^:/ },
	{ layout: '05', form: /^\d\d/, range: ['second', 0, 59] },
];
const OPTIONAL_FRACTION = /^[.,]\d+/;
const ZONE: Piece = { layout: 'Z07:00', form: /^(?:Z|[+-]\d\d:\d\d)/ };

function errorText(text: string, layout: string, fraction: RegExp): string {
	let rest = text;
	const pieces = [...BEFORE_FRACTION, { layout: '.000000', form: fraction }, ZONE];
	for (const piece of pieces) {
		const found = piece.form.exec(rest)?.[0];
		if (found === undefined) {
			return `parsing time ${quote(text)} as ${quote(layout)}: cannot parse ${quote(rest)} as ${quote(piece.layout)}`;
		}
		if (piece.range && !within(Number(found), piece.range)) {
			return `parsing time ${quote(text)}: ${piece.range[0]} out of range`;
		}
		rest = rest.slice(found.length);
		if (piece.layout === '05' && layout.length < 30) rest = rest.replace(OPTIONAL_FRACTION, '');
	}
	if (rest !== '') return `parsing time ${quote(text)}: extra text: ${quote(rest)}`;
	return `parsing time ${quote(text)}: day out of range`;
}

/**
 * Maximum number of quoted characters. No real time is nearly as long, and the client's text can have
 * megabytes.
 */
const QUOTED_CHARACTERS = 1000;

function quote(text: string): string {
	return quoteWhole(text.slice(0, QUOTED_CHARACTERS));
}

function within(value: number, [, min, max]: readonly [string, number, number]): boolean {
	return value >= min && value <= max;
}
