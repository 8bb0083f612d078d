import { quote as quoteWhole } from '../../base/quote.ts';

/**
 * Why a text is no RFC 3339 time, in the words of Go's parser: it goes through the layout piece by
 * piece and names the first that does not fit.
 */

/** For a time by the second. */
export function timeErrorText(text: string): string {
	return errorText(text, '2006-01-02T15:04:05Z07:00', /^/);
}

/** For a time with six decimals. */
export function microTimeErrorText(text: string): string {
	return errorText(text, '2006-01-02T15:04:05.000000Z07:00', /^\.\d{6}/);
}

interface Piece {
	readonly layout: string;
	readonly form: RegExp;
	/** What is out of range when the piece's number is not from `min` to `max`. */
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

/** How much of a text an error quotes: no time is near as long. */
const QUOTED_CHARACTERS = 1000;

function quote(text: string): string {
	return quoteWhole(text.slice(0, QUOTED_CHARACTERS));
}

function within(value: number, [, min, max]: readonly [string, number, number]): boolean {
	return value >= min && value <= max;
}
