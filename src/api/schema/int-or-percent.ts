import { fieldInvalid, nonNegative } from '../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../errors/field-path.ts';
import { formText } from '../meta/names.ts';

const PERCENT = "a valid percent string must be a numeric string followed by an ending '%'";

/** Whether the amount is a percentage, such as `25%`. */
export function isPercentage(amount: number | string): amount is string {
	return typeof amount === 'string' && /^[0-9]+%$/.test(amount);
}

/** The errors of an amount that is a whole number or a percentage (upstream: ValidatePositiveIntOrPercent). */
export function validateIntOrPercent(amount: number | string, path: FieldPath): readonly FieldError[] {
	if (typeof amount === 'number') return nonNegative(path, amount);
	if (isPercentage(amount)) return [];
	return [fieldInvalid(path, amount, formText(PERCENT, '[0-9]+%', '1%', '93%'))];
}

/** The error of a percentage of more than all (upstream: IsNotMoreThan100Percent). */
export function validateAtMostAll(amount: number | string, path: FieldPath): readonly FieldError[] {
	if (!isPercentage(amount) || percentOf(amount) <= 100) return [];
	return [fieldInvalid(path, amount, 'must not be greater than 100%')];
}

/** The number in a percentage. */
export function percentOf(percentage: string): number {
	return Number(percentage.slice(0, -1));
}

/** The number itself, or the percentage of `total` in whole numbers (upstream: GetScaledValueFromIntOrPercent). */
export function scaledAmount(
	amount: number | string,
	total: number,
	round: (value: number) => number,
): number {
	return typeof amount === 'number' ? amount : round((percentOf(amount) * total) / 100);
}
