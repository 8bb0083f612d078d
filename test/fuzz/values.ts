import type { Dice } from '../simulation/dice.ts';

/** A mutable JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Text that has broken servers: inherited property names, control characters, lone surrogates, numbers. */
const TEXTS = [
	'',
	' ',
	'a',
	'constructor',
	'__proto__',
	'toString',
	'hasOwnProperty',
	'null',
	'-1',
	'010',
	'1e400',
	'9007199254740993',
	'99999999999999999999',
	'\u0000',
	'\u001b[31m',
	'\ud800',
	'\uffff',
	'🚀',
	'../../etc/passwd',
	'a/b/c',
	'a,b=c',
	'{{.}}',
	'$(A)$$(B)',
	'2026-13-45T99:99:99Z',
	'9999-12-31T23:59:59Z',
	'0001-01-01T00:00:00Z',
	'1Gi',
	'1e-9',
	'-0',
	'100%',
	'*/0 * * * *',
	'@every 1s',
	'Never',
	'Always',
] as const;

/** Numbers at the bounds of integer and float types. */
const NUMBERS = [
	0,
	-0,
	1,
	-1,
	0.5,
	1e-300,
	1e300,
	255,
	256,
	65_535,
	65_536,
	2 ** 31 - 1,
	2 ** 31,
	-(2 ** 31) - 1,
	2 ** 53,
	2 ** 53 + 2,
	2 ** 63,
	-(2 ** 63),
] as const;

/** Draws a value that is unlikely to be valid in any field. */
export function strangeValue(dice: Dice): Json {
	switch (dice.between(0, 9)) {
		case 0:
			return null;
		case 1:
			return dice.chance(0.5);
		case 2:
		case 3:
			return dice.of(...NUMBERS);
		case 4:
			return [];
		case 5:
			return {};
		case 6:
			return nested(dice, dice.between(1, 200));
		case 7:
			return repeated(dice);
		default:
			return strangeText(dice);
	}
}

/** Draws text that is unlikely to be valid in any field, at times a very long one. */
export function strangeText(dice: Dice): string {
	const text = dice.of(...TEXTS);
	return dice.chance(0.03) ? text.repeat(dice.between(1, 20_000)) : text;
}

function nested(dice: Dice, depth: number): Json {
	let value: Json = strangeText(dice);
	for (let level = 0; level < depth; level++) value = dice.chance(0.5) ? [value] : { a: value };
	return value;
}

function repeated(dice: Dice): Json {
	const count = dice.between(1, dice.chance(0.1) ? 3000 : 20);
	if (dice.chance(0.5)) return Array.from({ length: count }, () => dice.of(...NUMBERS));
	return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, strangeText(dice)]));
}
