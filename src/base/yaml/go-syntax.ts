/**
 * Formats values as Go does. go-yaml's errors contain values in Go syntax, and sigs.k8s.io/yaml converts
 * numeric keys of maps to strings with Go's formatting.
 */

import { quote } from '../quote.ts';
import type { Scalar } from './resolve.ts';

/** A value as go-yaml decodes it: a scalar, a list, or a map as a list of entries. */
export type GoValue =
	| Scalar
	| { readonly kind: 'list'; readonly items: readonly GoValue[] }
	| { readonly kind: 'map'; readonly entries: readonly (readonly [key: Scalar, value: GoValue])[] };

/** Maximum number of characters of a value in an error message. */
const MAX_SHOWN = 1000;

/** The value as Go's `%#v` prints it. */
export function goSyntax(value: GoValue): string {
	const text = value.kind === 'null' ? '<nil>' : inner(value);
	return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

function inner(value: GoValue): string {
	switch (value.kind) {
		case 'null':
			return 'interface {}(nil)';
		case 'bool':
			return String(value.value);
		case 'string':
			return quote(value.value.slice(0, MAX_SHOWN));
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

/** Whether go-yaml decodes the number to an int64 and not to a uint64. */
export function isInt64(value: bigint): boolean {
	return BigInt.asIntN(64, value) === value;
}

/**
 * The shortest text that is parsed as the same number, in the format of Go's `%g`: `1.5`, `1e+20`, `NaN`.
 * `round` is the precision of the number: `Math.fround` for a float32.
 */
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

/** The smallest power of ten that is written with an exponent. */
const LARGE_EXPONENT = 6;

/**
 * The string that sigs.k8s.io/yaml makes of a floating-point key: it formats the key as a float32, and writes
 * NaN and the infinities as YAML does.
 */
export function floatKeyText(value: number): string {
	const text = floatText(value, Math.fround);
	return KEY_NAMES[text] ?? text;
}

const KEY_NAMES: Readonly<Record<string, string>> = { NaN: '.nan', '+Inf': '.inf', '-Inf': '-.inf' };
