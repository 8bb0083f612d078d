import { quote } from '../quote.ts';
import type { Scalar } from './resolve.ts';

/** How Go shows what go-yaml decodes to: its errors name values, and keys of maps that are numbers become text. */

/** A decoded value: a scalar, a list, or a map by its entries. */
export type GoValue =
	| Scalar
	| { readonly kind: 'list'; readonly items: readonly GoValue[] }
	| { readonly kind: 'map'; readonly entries: readonly (readonly [key: Scalar, value: GoValue])[] };

/** More of a value than this is not shown. */
const LONGEST = 1000;

/** The value as Go's `%#v` prints it. */
export function goSyntax(value: GoValue): string {
	const text = value.kind === 'null' ? '<nil>' : inner(value);
	return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function inner(value: GoValue): string {
	switch (value.kind) {
		case 'null':
			return 'interface {}(nil)';
		case 'bool':
			return String(value.value);
		case 'string':
			return quote(value.value.slice(0, LONGEST));
		case 'int':
			return isInt64(value.value) ? String(value.value) : `0x${value.value.toString(16)}`;
		case 'float':
			return floatText(value.value);
		case 'list':
			return `[]interface {}{${value.items.map(inner).join(', ')}}`;
		case 'map': {
			const entries = value.entries.map(([key, item]) => `${inner(key)}:${inner(item)}`);
			return `map[interface {}]interface {}{${entries.sort().join(', ')}}`;
		}
	}
}

/** Whether Go holds the number as an int, not as a uint64. */
export function isInt64(value: bigint): boolean {
	return BigInt.asIntN(64, value) === value;
}

/** The shortest text that stands for the number, in the form of Go's `%g`: `1.5`, `1e+20`, `NaN`. */
export function floatText(value: number, round: (value: number) => number = (exact) => exact): string {
	const rounded = round(value);
	if (!Number.isFinite(rounded)) return Number.isNaN(rounded) ? 'NaN' : rounded > 0 ? '+Inf' : '-Inf';
	let digits = 1;
	while (round(Number(rounded.toPrecision(digits))) !== rounded) digits++;
	const [mantissa = '', exponent = '0'] = rounded.toExponential(digits - 1).split('e');
	const power = Number(exponent);
	if (power >= -4 && power < LARGE_EXPONENT) return rounded.toFixed(Math.max(digits - 1 - power, 0));
	return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** From this power of ten on the exponent is written. */
const LARGE_EXPONENT = 6;

/** What becomes of a key that is a floating point number: upstream takes 32 of its bits, and YAML's names. */
export function floatKeyText(value: number): string {
	const text = floatText(value, Math.fround);
	return KEY_NAMES[text] ?? text;
}

const KEY_NAMES: Readonly<Record<string, string>> = { NaN: '.nan', '+Inf': '.inf', '-Inf': '-.inf' };
