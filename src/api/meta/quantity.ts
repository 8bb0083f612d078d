/**
 * Resource quantities: `500m`, `1Gi`, `12e6` (upstream: k8s.io/apimachinery/pkg/api/resource). A quantity is
 * an exact integer of nano-units together with the format (family of suffixes) in which it was written; finer
 * fractions are rounded up, away from zero, so that a request is never less than was asked for.
 *
 * Not floating point: 0.1 has no exact value in it, and the scheduler adds up the requests of many Pods.
 */

/** A parsed quantity: its value in nano-units and its format. */
export interface Quantity {
	readonly nanos: bigint;
	readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent';
	/**
	 * The parsed text, if upstream keeps this spelling although it is not canonical: see
	 * {@link isKeptSpelling}.
	 */
	readonly text?: string;
}

/** The text is not a quantity. The message is upstream's. */
export class QuantityError extends Error {
	override readonly name = 'QuantityError';
}

/** Parses a quantity. Throws a {@link QuantityError}. */
export function parseQuantity(text: string): Quantity {
	const parts = text.length > MAX_LENGTH ? undefined : FORM.exec(text);
	if (text === '' || !parts) throw new QuantityError(WRONG_FORM);
	const [, sign = '', whole = '', fraction = '', suffix = ''] = parts;
	const unit = unitOf(suffix);
	const digits = BigInt(`${whole}${fraction}` || '0');
	const negative = sign === '-';
	const magnitude = capped(scaled(digits, fraction.length, unit), unit);
	const nanos = negative ? -magnitude : magnitude;
	const format = unit.base === 2 && magnitude < NANOS && magnitude > 0n ? 'DecimalSI' : unit.format;
	const kept = isKeptSpelling(whole.replace(/^0+/, ''), fraction, unit);
	return { nanos, format, ...(kept && { text }) };
}

/**
 * The canonical spelling, in which the API stores and returns the quantity. Throws a {@link QuantityError}.
 */
export function canonicalQuantity(text: string): string {
	const known = canonicalTexts.get(text);
	if (known !== undefined) return known;
	const canonical = formatQuantity(parseQuantity(text));
	if (canonicalTexts.size >= MAX_CANONICAL_TEXTS) canonicalTexts.clear();
	canonicalTexts.set(text, canonical);
	return canonical;
}

/** Formats a quantity with the largest suffix of its format that leaves an integer. */
export function formatQuantity({ nanos, format, text }: Quantity): string {
	if (text !== undefined) return text;
	if (nanos === 0n) return '0';
	if (format === 'BinarySI' && nanos % NANOS === 0n && abs(nanos) >= 1024n * NANOS) {
		return binaryText(nanos / NANOS);
	}
	return decimalText(nanos, format === 'DecimalExponent');
}

/**
 * Negative, 0 or positive if `a` is less than, equal to or greater than `b`. Throws a {@link QuantityError}.
 */
export function compareQuantities(a: string, b: string): number {
	const difference = parseQuantity(a).nanos - parseQuantity(b).nanos;
	return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The sum, in the format of `a`, or of `b` if `a` is zero (upstream: Quantity.Add). */
export function addQuantities(a: string, b: string): string {
	const left = parseQuantity(a);
	const right = parseQuantity(b);
	const format = left.nanos === 0n ? right.format : left.format;
	return formatQuantity({ nanos: left.nanos + right.nanos, format });
}

/** The value in whole units (bytes, cores), rounded up. */
export function quantityValue(text: string): number {
	return Number(dividedUp(parseQuantity(text).nanos, NANOS));
}

/** The value in thousandths (milli-cores), rounded up. */
export function quantityMilliValue(text: string): number {
	return Number(dividedUp(parseQuantity(text).nanos, NANOS / 1000n));
}

const FORM = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;
const WRONG_FORM =
	"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_SUFFIX = "unable to parse quantity's suffix";
/** Far longer than any real quantity. A text of a million digits would take seconds to parse. */
const MAX_LENGTH = 100;
const NANOS = 1_000_000_000n;
const MAX_BINARY = (2n ** 63n - 1n) * NANOS;

/**
 * Canonical spellings by text. Nearly all Pods use the same few quantities. Bounded, since clients choose the
 * texts.
 */
const canonicalTexts = new Map<string, string>();
const MAX_CANONICAL_TEXTS = 1000;

interface Unit {
	readonly base: 2 | 10;
	readonly exponent: number;
	readonly format: Quantity['format'];
}

const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/**
 * Real exponents have at most two digits. Larger ones are refused, since BigInt computes the number in full:
 * `1e999999999` would block the server for minutes.
 */
const MAX_EXPONENT = 100;

function unitOf(suffix: string): Unit {
	const decimal = DECIMAL_SUFFIXES.indexOf(suffix);
	if (decimal >= 0) return { base: 10, exponent: decimal * 3 - 9, format: 'DecimalSI' };
	const binary = BINARY_SUFFIXES.indexOf(suffix);
	if (binary > 0) return { base: 2, exponent: binary * 10, format: 'BinarySI' };
	const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1];
	if (exponent === undefined || Math.abs(Number(exponent)) > MAX_EXPONENT)
		throw new QuantityError(WRONG_SUFFIX);
	return { base: 10, exponent: Number(exponent), format: 'DecimalExponent' };
}

/** `digits`, the last `fractionLength` of them after the point, times the unit: in nano-units, rounded up. */
function scaled(digits: bigint, fractionLength: number, unit: Unit): bigint {
	if (unit.base === 2) {
		return dividedUp(digits * 2n ** BigInt(unit.exponent) * NANOS, 10n ** BigInt(fractionLength));
	}
	const exponent = unit.exponent - fractionLength + 9;
	return exponent >= 0 ? digits * 10n ** BigInt(exponent) : dividedUp(digits, 10n ** BigInt(-exponent));
}

/** As upstream, a binary quantity beyond 2^63 - 1 becomes that. */
function capped(nanos: bigint, unit: Unit): bigint {
	return unit.base === 2 && nanos > MAX_BINARY ? MAX_BINARY : nanos;
}

/**
 * Upstream keeps some spellings unchanged that are not canonical (`1.500`, `+1`): those that the fast path of
 * its ParseQuantity takes for canonical. Clients compare what they wrote with what they read, so the same
 * spellings are kept here.
 */
function isKeptSpelling(whole: string, fraction: string, unit: Unit): boolean {
	const digits = `${whole || '0'}${fraction}`;
	if (digits === '0') return false;
	if (unit.base === 2) {
		const precision = 15 - (whole || '0').length - Math.floor((unit.exponent * 3) / 10) - 1;
		return fraction === '' && precision >= 0 && (BigInt(digits) & 7n) !== 0n;
	}
	const scale = unit.exponent - fraction.length;
	if (digits.length > 18 || scale < -9 || scale % 3 !== 0) return false;
	return !digits.endsWith('000') && !digits.startsWith('0');
}

function binaryText(value: bigint): string {
	let rest = value;
	let steps = 0;
	while (rest % 1024n === 0n && steps < BINARY_SUFFIXES.length - 1) {
		rest /= 1024n;
		steps++;
	}
	return `${rest}${BINARY_SUFFIXES[steps]}`;
}

function decimalText(nanos: bigint, asExponent: boolean): string {
	let rest = nanos;
	let steps = 0;
	while (rest % 1000n === 0n && (asExponent || steps < DECIMAL_SUFFIXES.length - 1)) {
		rest /= 1000n;
		steps++;
	}
	if (!asExponent) return `${rest}${DECIMAL_SUFFIXES[steps]}`;
	return steps === 3 ? `${rest}` : `${rest}e${steps * 3 - 9}`;
}

/** Divides and rounds away from zero. */
function dividedUp(dividend: bigint, divisor: bigint): bigint {
	const quotient = dividend / divisor;
	if (dividend % divisor === 0n) return quotient;
	return dividend < 0n ? quotient - 1n : quotient + 1n;
}

function abs(value: bigint): bigint {
	return value < 0n ? -value : value;
}
