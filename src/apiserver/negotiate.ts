import { notAcceptable } from '../api/meta/api-error.ts';
import { type IncludeObject, includeObjectOf } from '../api/meta/table.ts';
import type { Query } from './query.ts';

/** Which form of an object, list or watch the client wants, by its Accept header. */
export type Format =
	| { readonly as: 'plain' }
	/** A Table, as `kubectl get` prints it. */
	| { readonly as: 'table'; readonly includeObject: IncludeObject }
	/** Metadata alone. */
	| { readonly as: 'metadata' };

/** One alternative of an Accept header. */
export interface AcceptClause {
	/** Without parameters, in lower case: `application/json`. */
	readonly type: string;
	readonly parameters: ReadonlyMap<string, string>;
}

/** The alternatives of an Accept header, the most wanted first. */
export function parseAccept(accept: string): readonly AcceptClause[] {
	const clauses = accept.split(',').map((text) => {
		const [type = '', ...rest] = text.split(';').map((part) => part.trim());
		const parameters = new Map<string, string>();
		for (const parameter of rest) {
			const equals = parameter.indexOf('=');
			if (equals > 0) parameters.set(parameter.slice(0, equals).trim(), parameter.slice(equals + 1).trim());
		}
		return { type: type.toLowerCase(), parameters };
	});
	const weight = ({ parameters }: AcceptClause): number => Number(parameters.get('q') ?? 1) || 0;
	return clauses.filter(({ type }) => type !== '').sort((a, b) => weight(b) - weight(a));
}

/** Whether a clause takes JSON. */
export function takesJson({ type }: AcceptClause): boolean {
	return type === 'application/json' || type === 'application/*' || type === '*/*';
}

const PLAIN: Format = { as: 'plain' };

/** Chooses the form; throws NotAcceptable when the client takes none that there is. */
export function negotiate(accept: string, query: Query): Format {
	if (accept === '' || accept === 'application/json') return PLAIN;
	for (const clause of parseAccept(accept)) {
		const format = takesJson(clause) ? formatOf(clause, query) : undefined;
		if (format) return format;
	}
	throw notAcceptable(['application/json']);
}

/** Tables and metadata are served in v1 of meta.k8s.io only, which every kubectl since 1.15 asks for first. */
function formatOf({ parameters }: AcceptClause, query: Query): Format | undefined {
	const as = parameters.get('as');
	if (as === undefined) return PLAIN;
	if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') return undefined;
	if (as === 'Table') return { as: 'table', includeObject: includeObjectOf(query.text('includeObject')) };
	return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'
		? { as: 'metadata' }
		: undefined;
}
