import { badRequest } from './api-error.ts';
import type { KubeObject } from './object-meta.ts';
import type { ResourceDefinition } from './resource.ts';

/**
 * Field selectors: `metadata.name=a,status.phase!=Running`. `\`, `,` and `=` in a value are escaped by
 * a `\`; a value may be empty. Errors are BadRequest in upstream's words.
 */

/** A condition on one field. */
export interface FieldTerm {
	readonly field: string;
	readonly equal: boolean;
	readonly value: string;
}

/** Terms of which all must hold; none: everything is selected. */
export type FieldSelector = readonly FieldTerm[];

/** What a selector needs to know of a resource. */
type Selectable<T extends KubeObject> = Pick<
	ResourceDefinition<T>,
	'group' | 'version' | 'kind' | 'namespaced' | 'selectableFields'
>;

/** The selector that the text says, whatever fields it names; {@link checkFieldSelector} looks at those. */
export function parseFieldSelector(text: string): FieldSelector {
	const terms = splitTerms(text).toSorted();
	return terms.filter((term) => term !== '').map((term) => parseTerm(term, text));
}

/** Throws BadRequest if the selector names a field that `supported` (see selectableFieldNames) has not. */
export function checkFieldSelector<T extends KubeObject>(
	selector: FieldSelector,
	definition: Selectable<T>,
	supported: readonly string[],
): void {
	for (const { field } of selector) {
		if (!supported.includes(field)) throw badRequest(unsupportedText(field, definition, supported));
	}
}

/** Whether the object is selected; fields that the resource has not are never equal to anything. */
export function matchesFields<T extends KubeObject>(
	selector: FieldSelector,
	definition: Selectable<T>,
	object: T,
): boolean {
	let fields: Readonly<Record<string, string>> | undefined;
	for (const { field, equal, value } of selector) {
		let actual: string | undefined;
		if (field === 'metadata.name') actual = object.metadata.name ?? '';
		else if (field === 'metadata.namespace') actual = object.metadata.namespace ?? '';
		else {
			fields ??= definition.selectableFields(object);
			actual = fields[field] ?? '';
		}
		if ((actual === value) !== equal) return false;
	}
	return true;
}

/** The value that the selector asks of `field` by equality, if it does: lets a list become a get. */
export function exactValue(selector: FieldSelector, field: string): string | undefined {
	return selector.find((term) => term.field === field && term.equal)?.value;
}

/** The selector as text, with values escaped. */
export function fieldSelectorText(selector: FieldSelector): string {
	return selector
		.map(({ field, equal, value }) => `${field}${equal ? '=' : '!='}${escapeFieldValue(value)}`)
		.join(',');
}

/** A value as it stands in a field selector. */
export function escapeFieldValue(value: string): string {
	return value.replace(/[\\,=]/g, (char) => `\\${char}`);
}

function splitTerms(text: string): readonly string[] {
	const terms: string[] = [];
	let start = 0;
	for (let i = 0; i < text.length; i++) {
		if (text[i] === '\\') i++;
		else if (text[i] === ',') {
			terms.push(text.slice(start, i));
			start = i + 1;
		}
	}
	terms.push(text.slice(start));
	return terms;
}

function parseTerm(term: string, text: string): FieldTerm {
	const operator = /!=|==|=/.exec(term);
	if (!operator) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
	return {
		field: term.slice(0, operator.index),
		equal: operator[0] !== '!=',
		value: unescapeFieldValue(term.slice(operator.index + operator[0].length)),
	};
}

function unescapeFieldValue(text: string): string {
	return text.replace(/\\(.?)|[,=]/gsu, (found, escaped: string | undefined) => {
		if (escaped === undefined) {
			throw badRequest(`invalid field selector: unescaped character in value: ${found.charCodeAt(0)}`);
		}
		if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
			throw badRequest(`invalid field selector: invalid escape sequence: ${found}`);
		}
		return escaped;
	});
}

/**
 * Upstream has three texts: the core group's, that of the groups whose kinds have fields of their own,
 * and that of kinds which have none.
 */
function unsupportedText(
	field: string,
	{ group, version, kind }: { readonly group: string; readonly version: string; readonly kind: string },
	supported: readonly string[],
): string {
	if (supported.every((name) => name.startsWith('metadata.'))) {
		return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
	}
	if (group === '') return `field label not supported: ${field}`;
	return `field label "${field}" not supported for ${group}${version}.${kind}`;
}
