import { compareText } from '../../base/compare-text.ts';
import { type Int64, isList, isRecord } from '../../base/json/json.ts';
import { toCompactJson } from './json.ts';
import {
	type Operand,
	type Operator,
	type Path,
	type Piece,
	parseTemplate,
	type Step,
} from './jsonpath-parser.ts';

/**
 * Evaluates `-o jsonpath` templates by kubectl's rules: a missing field prints as nothing (kubectl's
 * AllowMissingKeys); several results of one path are separated by spaces; strings print unquoted, other
 * values as JSON.
 */

/** The text of `template` for `object`. Throws a JsonPathError. */
export function fillTemplate(template: string, object: unknown): string {
	return fill(parseTemplate(template), { root: object, here: object });
}

/** All values that a path finds in `object`. */
export function findAll(path: Path, object: unknown): readonly unknown[] {
	return walk(path, { root: object, here: object });
}

/** The text that a template prints for a value. */
export function printed(value: unknown): string {
	if (typeof value === 'string') return value;
	return value === undefined ? '' : toCompactJson(value);
}

interface Scope {
	/** The value of `$`. */
	readonly root: unknown;
	/** The value of `@`, and the start of a path without `$` and `@`. */
	readonly here: unknown;
}

/** Text and values follow each other without a separator: the template writes its own. */
function fill(pieces: readonly Piece[], scope: Scope): string {
	return pieces.map((piece) => fillPiece(piece, scope)).join('');
}

function fillPiece(piece: Piece, scope: Scope): string {
	switch (piece.type) {
		case 'text':
			return piece.text;
		case 'path':
			return walk(piece.path, scope).map(printed).join(' ');
		case 'range':
			return walk(piece.path, scope)
				.map((here) => fill(piece.body, { ...scope, here }))
				.join('');
	}
}

/** The values that a path finds: each step maps every value found so far to the values that it finds there. */
function walk({ absolute, steps }: Path, scope: Scope): readonly unknown[] {
	let found: readonly unknown[] = [absolute ? scope.root : scope.here];
	for (const step of steps) found = found.flatMap((value) => take(step, value, scope));
	return found;
}

/**
 * The values that one step finds in a value. A step that does not fit the value, such as an index of a map or
 * a missing field, finds nothing and is no error: kubectl's `get` allows missing keys.
 */
function take(step: Step, value: unknown, scope: Scope): readonly unknown[] {
	switch (step.type) {
		case 'field':
			return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
		case 'all':
			return childrenOf(value);
		case 'descend':
			return [value, ...childrenOf(value).flatMap((child) => take(step, child, scope))];
		case 'index': {
			const items = listOf(value);
			const index = step.index < 0 ? items.length + step.index : step.index;
			return index in items ? [items[index]] : [];
		}
		case 'slice':
			return listOf(value)
				.slice(step.begin ?? 0, step.end)
				.filter((_, index) => index % step.step === 0);
		case 'filter':
			return childrenOf(value).filter((here) => holds(step, { ...scope, here }));
		case 'union':
			return step.steps.flatMap((each) => take(each, value, scope));
	}
}

/** The values of a map, sorted by key so that the output is stable, or the items of a list. */
function childrenOf(value: unknown): readonly unknown[] {
	if (!isRecord(value)) return listOf(value);
	return Object.keys(value)
		.sort()
		.map((key) => value[key]);
}

/** What is no list has no items. */
function listOf(value: unknown): readonly unknown[] {
	return isList(value) ? value : [];
}

/**
 * Whether a filter accepts the value `scope.here`. Of a path that finds several values the first one counts.
 */
function holds(filter: Extract<Step, { readonly type: 'filter' }>, scope: Scope): boolean {
	const left = operandValues(filter.left, scope);
	if (filter.operator === 'exists') return left.length > 0;
	const right = operandValues(filter.right, scope);
	return left.length > 0 && right.length > 0 && compare(left[0], filter.operator, right[0]);
}

/** A literal is its own only value. */
function operandValues(operand: Operand, scope: Scope): readonly unknown[] {
	return operand.type === 'value' ? [operand.value] : walk(operand.path, scope);
}

/** Compares two values. No order comparison holds between values of different types. */
function compare(left: unknown, operator: Operator, right: unknown): boolean {
	if (operator === '==') return left === right;
	if (operator === '!=') return left !== right;
	const order = orderOf(left, right);
	switch (operator) {
		case '<':
			return order < 0;
		case '<=':
			return order <= 0;
		case '>':
			return order > 0;
		case '>=':
			return order >= 0;
		default:
			return false;
	}
}

/** Integers of the API have 64 bits, so that large ones are bigints. */
function isNumber(value: unknown): value is Int64 {
	return typeof value === 'number' || typeof value === 'bigint';
}

/** Negative, 0 or positive; NaN, for which every comparison is false, if the types cannot be compared. */
function orderOf(left: unknown, right: unknown): number {
	if (isNumber(left) && isNumber(right)) return left < right ? -1 : left > right ? 1 : 0;
	if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
	return Number.NaN;
}
