/**
 * Label selectors as values: built from a LabelSelector or a map of labels, matched, printed and validated.
 * selector-text.ts parses those of queries.
 *
 * 1. An absent LabelSelector selects nothing; an empty one selects everything. Confusing the two would make
 *    a Job adopt every Pod.
 * 2. Requirements are sorted by key and their values sorted, so that equal selectors have equal texts.
 */

import { compareText } from '../../base/compare-text.ts';
import { badRequest } from '../errors/api-error.ts';
import { fieldForbidden, fieldInvalid, fieldRequired as requiredError } from '../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../errors/field-path.ts';
import {
	atomic,
	type Infer,
	list,
	map,
	object,
	oneOf,
	optional,
	required,
	string,
} from '../schema/schema.ts';
import { labelValue, qualifiedName } from './names.ts';

/** Schema of metav1.LabelSelectorRequirement. */
export const labelSelectorRequirementSchema = object(
	'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement',
	'A requirement on one label of an object.',
	{
		key: required(string, 'Key of the label that the requirement applies to.'),
		operator: required(
			oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
			'How the label relates to the values: In, NotIn, Exists or DoesNotExist. NotIn also matches objects without the label.',
		),
		values: optional(
			list(string),
			'Values for In and NotIn, at least one. Must be empty for Exists and DoesNotExist.',
		),
	},
);

/** Schema of metav1.LabelSelector. */
export const labelSelectorSchema = atomic(
	object(
		'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
		'A query over the labels of objects: all requirements must hold. An empty selector selects every object, an absent one selects none.',
		{
			matchLabels: optional(map(string), 'Labels that an object must have, with exactly these values.'),
			matchExpressions: optional(
				list(labelSelectorRequirementSchema),
				'Further requirements on labels, all of which must hold.',
			),
		},
	),
);

/** A query over the labels of objects, as it is stored in an object. */
export type LabelSelector = Infer<typeof labelSelectorSchema>;

/** A requirement on one label, in the operators of the query language. */
export interface Requirement {
	readonly key: string;
	readonly operator: '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
	/** Sorted, without duplicates; empty for `exists` and `!`. */
	readonly values: readonly string[];
}

/** Requirements, sorted by key, all of which must hold. An empty list selects everything. */
export type Selector = readonly Requirement[];

/** Selects every object. */
export const EVERYTHING: Selector = Object.freeze([]);

/**
 * Selects no object: the meaning of an absent LabelSelector. Compared by identity, as its contents equal
 * EVERYTHING.
 */
export const NOTHING: Selector = Object.freeze([]);

type Labels = Readonly<Record<string, string>> | undefined;

/** Whether the selector selects an object with these labels. */
export function matches(selector: Selector, labels: Labels): boolean {
	if (selector === NOTHING) return false;
	for (const requirement of selector) {
		if (!holds(requirement, labels)) return false;
	}
	return true;
}

/**
 * Converts a LabelSelector (upstream: LabelSelectorAsSelector): an absent one selects nothing, an empty one
 * everything. Throws BadRequest on an unknown operator, which validation refuses in stored objects.
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

/** The selector in the query language; empty for EVERYTHING and NOTHING. */
export function selectorText(selector: Selector): string {
	return selector.map(requirementText).join(',');
}

/** A LabelSelector as `kubectl describe` and wide columns print it; `<none>` if it has no requirements. */
export function labelSelectorText(selector: LabelSelector | undefined): string {
	const text = selectorText(selectorOf(selector));
	return text === '' ? '<none>' : text;
}

/** The errors of a LabelSelector in an object (upstream: ValidateLabelSelector). */
export function validateLabelSelector(
	selector: LabelSelector | undefined,
	path: FieldPath,
): readonly FieldError[] {
	if (selector === undefined) return [];
	const errors = [...validateLabels(selector.matchLabels, path.child('matchLabels'))];
	for (const [index, expression] of (selector.matchExpressions ?? []).entries()) {
		errors.push(...validateLabelRequirement(expression, path.child('matchExpressions').index(index)));
	}
	return errors;
}

/** The errors of a map of labels (upstream: ValidateLabels). */
export function validateLabels(labels: Labels, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const key in labels) {
		for (const text of qualifiedName(key)) errors.push(fieldInvalid(path, key, text));
		const value = labels[key] ?? '';
		for (const text of labelValue(value)) errors.push(fieldInvalid(path, value, text));
	}
	return errors;
}

/** `values` sorted, without duplicates. */
export function sortedSet(values: readonly string[]): readonly string[] {
	return [...new Set(values)].sort();
}

/** Sorts the requirements by key. The sort is stable, so those of one key keep their order. */
export function byKey(requirements: readonly Requirement[]): Selector {
	return requirements.toSorted((a, b) => compareText(a.key, b.key));
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

/** As upstream, `!=` and `notin` also match an object that lacks the label. */
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

/** Compares as 64-bit integers; other values never match. BigInt, since a number loses digits above 2^53. */
function compares(value: string | undefined, operator: '>' | '<', bound: string | undefined): boolean {
	if (value === undefined || bound === undefined || !isWholeNumber(value)) return false;
	return operator === '>' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

/** Whether the text is an integer of at most 19 digits, as `>` and `<` require. */
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

/**
 * The errors of one requirement in an object (upstream: ValidateLabelSelectorRequirement). `allowsUnknown`: an operator
 * that this version does not know is no error.
 */
export function validateLabelRequirement(
	expression: Expression,
	path: FieldPath,
	allowsUnknown = false,
): readonly FieldError[] {
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
				fieldForbidden(
					path.child('values'),
					"may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
				),
			);
			break;
		default:
			if (allowsUnknown) break;
			errors.push(fieldInvalid(path.child('operator'), expression.operator, 'not a valid selector operator'));
	}
	for (const text of qualifiedName(expression.key)) {
		errors.push(fieldInvalid(path.child('key'), expression.key, text));
	}
	for (const [index, value] of values.entries()) {
		for (const text of labelValue(value))
			errors.push(fieldInvalid(path.child('values').index(index), value, text));
	}
	return errors;
}
