import { badRequest } from './api-error.ts';
import type { FieldError, FieldPath } from './field.ts';
import { forbidden, invalid, required as requiredError } from './field-errors.ts';
import { labelValue, qualifiedName } from './names.ts';
import { type Infer, list, map, object, oneOf, optional, required, string } from './schema.ts';

/** Label selectors as values. Those made from text come from selector-text.ts. */

/** Schema of metav1.LabelSelectorRequirement. */
export const labelSelectorRequirementSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement',
	'A condition on one label.',
	{
		key: required(string, 'The label that the condition is about.'),
		operator: required(
			oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
			'How the label relates to the values: In, NotIn, Exists or DoesNotExist.',
		),
		values: optional(list(string), 'The values for In and NotIn; empty for Exists and DoesNotExist.'),
	},
);

/** Schema of metav1.LabelSelector. */
export const labelSelectorSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
	'Selects objects by their labels: all conditions must hold. An empty one selects every object.',
	{
		matchLabels: optional(map(string), 'Labels that an object must carry with just these values.'),
		matchExpressions: optional(list(labelSelectorRequirementSchema), 'Further conditions on labels.'),
	},
	{ atomic: true },
);

/** Selects objects by their labels. */
export type LabelSelector = Infer<typeof labelSelectorSchema>;

/** A condition on one label, in the words of the query language. */
export interface Requirement {
	readonly key: string;
	readonly operator: '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
	/** Sorted, without repetition. */
	readonly values: readonly string[];
}

/** Requirements of which all must hold, sorted by key; none: everything is selected. */
export type Selector = readonly Requirement[];

/** Selects every object. */
export const EVERYTHING: Selector = Object.freeze([]);

/** Selects no object: what an absent LabelSelector means. Told apart from others by identity. */
export const NOTHING: Selector = Object.freeze([]);

type Labels = Readonly<Record<string, string>> | undefined;

/** Whether an object with these labels is selected. */
export function matches(selector: Selector, labels: Labels): boolean {
	if (selector === NOTHING) return false;
	for (const requirement of selector) {
		if (!holds(requirement, labels)) return false;
	}
	return true;
}

/**
 * The selector that an object's LabelSelector means: absent selects nothing, an empty one everything.
 * Throws BadRequest on one that validation would refuse.
 */
export function selectorOf(selector: LabelSelector | undefined): Selector {
	if (selector === undefined) return NOTHING;
	const exact = exactRequirements(selector.matchLabels ?? {});
	const further = (selector.matchExpressions ?? []).map((expression) => {
		const operator = OPERATORS[expression.operator];
		if (operator === undefined) {
			throw badRequest(`"${expression.operator}" is not a valid label selector operator`);
		}
		return { key: expression.key, operator, values: sortedSet(expression.values ?? []) };
	});
	return byKey([...exact, ...further]);
}

/** The selector for objects that carry all of `labels`. */
export function selectorOfLabels(labels: Readonly<Record<string, string>>): Selector {
	return byKey(exactRequirements(labels));
}

/** The selector in the query language; text for people prints `<none>` where this is empty. */
export function selectorText(selector: Selector): string {
	return selector.map(requirementText).join(',');
}

/** A LabelSelector as describe and wide columns print it. */
export function labelSelectorText(selector: LabelSelector | undefined): string {
	const text = selectorText(selectorOf(selector));
	return text === '' ? '<none>' : text;
}

/** What is wrong with a LabelSelector in an object. */
export function validateLabelSelector(
	selector: LabelSelector | undefined,
	path: FieldPath,
): readonly FieldError[] {
	if (selector === undefined) return [];
	const errors = [...validateLabels(selector.matchLabels, path.child('matchLabels'))];
	for (const [index, expression] of (selector.matchExpressions ?? []).entries()) {
		errors.push(...validateExpression(expression, path.child('matchExpressions').index(index)));
	}
	return errors;
}

/** What is wrong with a map of labels. */
export function validateLabels(labels: Labels, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const key in labels) {
		for (const text of qualifiedName(key)) errors.push(invalid(path, key, text));
		const value = labels[key] ?? '';
		for (const text of labelValue(value)) errors.push(invalid(path, value, text));
	}
	return errors;
}

/** Sorted and without repetition. */
export function sortedSet(values: readonly string[]): readonly string[] {
	return [...new Set(values)].sort();
}

/** The requirements in the order of their keys. */
export function byKey(requirements: readonly Requirement[]): Selector {
	return requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

const OPERATORS: Readonly<Record<string, Requirement['operator']>> = {
	In: 'in',
	NotIn: 'notin',
	Exists: 'exists',
	DoesNotExist: '!',
};

function exactRequirements(labels: Readonly<Record<string, string>>): readonly Requirement[] {
	return Object.entries(labels).map(([key, value]) => ({ key, operator: '=' as const, values: [value] }));
}

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
	const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
	switch (operator) {
		case '=':
		case '==':
		case 'in':
			return value !== undefined && values.includes(value);
		case '!=':
		case 'notin':
			return value === undefined || !values.includes(value);
		case 'exists':
			return value !== undefined;
		case '!':
			return value === undefined;
		case '>':
		case '<':
			return compares(value, operator, values[0]);
	}
}

function compares(value: string | undefined, operator: '>' | '<', bound: string | undefined): boolean {
	if (value === undefined || bound === undefined || !isWholeNumber(value)) return false;
	return operator === '>' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

/** Whether the text is a number that `>` and `<` compare. */
export function isWholeNumber(text: string): boolean {
	return /^-?\d{1,19}$/.test(text);
}

function requirementText({ key, operator, values }: Requirement): string {
	switch (operator) {
		case 'exists':
			return key;
		case '!':
			return `!${key}`;
		case 'in':
		case 'notin':
			return `${key} ${operator} (${values.join(',')})`;
		default:
			return `${key}${operator}${values.join(',')}`;
	}
}

type Expression = Infer<typeof labelSelectorRequirementSchema>;

function validateExpression(expression: Expression, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	const values = expression.values ?? [];
	switch (expression.operator) {
		case 'In':
		case 'NotIn':
			if (values.length > 0) break;
			errors.push(
				requiredError(path.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"),
			);
			break;
		case 'Exists':
		case 'DoesNotExist':
			if (values.length === 0) break;
			errors.push(
				forbidden(path.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
			);
			break;
		default:
			errors.push(invalid(path.child('operator'), expression.operator, 'not a valid selector operator'));
	}
	for (const text of qualifiedName(expression.key)) {
		errors.push(invalid(path.child('key'), expression.key, text));
	}
	for (const [index, value] of values.entries()) {
		for (const text of labelValue(value))
			errors.push(invalid(path.child('values').index(index), value, text));
	}
	return errors;
}
