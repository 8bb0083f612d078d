/**
 * Parses and matches field selectors: `metadata.name=a,status.phase!=Running`. `\`, `,` and `=` in a value
 * are escaped with a `\`; a value may be empty. Errors are BadRequest with upstream's texts
 * (k8s.io/apimachinery/pkg/fields).
 */

import { quote } from '../../base/quote.ts';
import type { ResourceDefinition } from '../contract/resource-definition.ts';
import { badRequest } from '../errors/api-error.ts';
import { decodeAs } from '../schema/decode.ts';
import type { ObjectNode } from '../schema/schema.ts';
import type { KubeObject } from './object-meta.ts';

/** A requirement on one field. */
export interface FieldTerm {
	readonly field: string;
	readonly equal: boolean;
	readonly value: string;
}

/** Terms, all of which must hold. An empty list selects everything. */
export type FieldSelector = readonly FieldTerm[];

/** The parts of a definition that field selectors use. */
type Selectable<T extends KubeObject> = Pick<
	ResourceDefinition<T>,
	'group' | 'version' | 'kind' | 'namespaced' | 'schema' | 'selectableFields' | 'view'
>;

/**
 * Parses a selector. Throws BadRequest if it is malformed or names a field that the resource cannot be
 * selected by.
 */
export function parseFieldSelector<T extends KubeObject>(
	text: string,
	definition: Selectable<T>,
): FieldSelector {
	const selector = parseFieldTerms(text);
	for (const { field } of selector) {
		if (!supportedFields(definition).includes(field)) throw badRequest(unsupportedText(field, definition));
	}
	return selector;
}

/** Parses a selector for any resource. Throws BadRequest if it is malformed. */
export function parseFieldTerms(text: string): FieldSelector {
	// Upstream sorts the terms, which decides which of several unsupported fields an error names.
	const terms = splitTerms(text).toSorted();
	return terms.filter((term) => term !== '').map((term) => parseTerm(term, text));
}

/** The fields by which objects of the resource can be selected. */
export function supportedFields<T extends KubeObject>(definition: Selectable<T>): readonly string[] {
	// As upstream, cluster-scoped kinds with fields of their own refuse metadata.namespace; all others accept
	// it.
	const own = ownFields(definition);
	if (!definition.namespaced && own.length > 0) return ['metadata.name', ...own];
	return ['metadata.name', 'metadata.namespace', ...own];
}

/** Whether the selector selects the object. A field that the object does not have counts as empty. */
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

/** The value that the selector requires `field` to equal, if any: the server turns such a list into a get. */
export function exactValue(selector: FieldSelector, field: string): string | undefined {
	return selector.find((term) => term.field === field && term.equal)?.value;
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
 * Upstream has three texts: for the core group and views of it (events.k8s.io), for kinds of other groups with
 * fields of their own, and for kinds that have none.
 */
function unsupportedText<T extends KubeObject>(field: string, definition: Selectable<T>): string {
	const { group, version, kind } = definition;
	if (ownFields(definition).length === 0) {
		return `${quote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
	}
	if (group === '' || definition.view?.of.group === '') return `field label not supported: ${field}`;
	return `field label ${quote(field)} not supported for ${group}${version}.${kind}`;
}

/**
 * The names of a kind's own fields. They do not depend on the object, so an empty one yields them; cached by
 * schema.
 */
function ownFields<T extends KubeObject>(definition: Selectable<T>): readonly string[] {
	let names = ownFieldNames.get(definition.schema);
	if (!names) {
		names = Object.keys(definition.selectableFields(decodeAs<T>(definition.schema, {}).value));
		ownFieldNames.set(definition.schema, names);
	}
	return names;
}

const ownFieldNames = new WeakMap<ObjectNode, readonly string[]>();
