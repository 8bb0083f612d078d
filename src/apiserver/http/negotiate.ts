import { notAcceptable } from '../../api/errors/api-error.ts';
import { type IncludeObject, includeObjectOf, type MetaVersion } from '../../api/meta/table.ts';
import type { Query } from '../query.ts';

/** The form of an object, list or watch that the client asks for in its Accept header. */
export type Format =
	| { readonly as: 'plain' }
	/** A Table, which `kubectl get` prints. */
	| { readonly as: 'table'; readonly version: MetaVersion; readonly includeObject: IncludeObject }
	/** Only the metadata: of one object or, with `list`, of the items of a list. */
	| { readonly as: 'metadata'; readonly version: MetaVersion; readonly list: boolean };

/** One media range of an Accept header. */
export interface AcceptClause {
	/** Without parameters, in lower case: `application/json`. */
	readonly type: string;
	readonly parameters: ReadonlyMap<string, string>;
}

/** Parses an Accept header; the media ranges with the highest q come first. */
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

/** Whether a media range includes JSON. */
export function acceptsJson({ type }: AcceptClause): boolean {
	return type === 'application/json' || type === 'application/*' || type === '*/*';
}

const PLAIN: Format = { as: 'plain' };

/**
 * Chooses the form of the response. Throws NotAcceptable if the server supports none of those in the header:
 * JSON is the only encoding of responses. A client that prefers protobuf (client-go does) also accepts JSON.
 */
export function negotiate(accept: string, query: Query): Format {
	if (accept === '' || accept === 'application/json') return PLAIN;
	for (const clause of parseAccept(accept)) {
		const format = acceptsJson(clause) ? formatOf(clause, query) : undefined;
		if (format) return format;
	}
	throw notAcceptable(['application/json']);
}

/** The form that a media range asks for; undefined if the server does not support it. */
function formatOf({ parameters }: AcceptClause, query: Query): Format | undefined {
	const as = parameters.get('as');
	if (as === undefined) return PLAIN;
	const version = parameters.get('v');
	if (parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined;
	switch (as) {
		case 'Table':
			return { as: 'table', version, includeObject: includeObjectOf(query.text('includeObject')) };
		case 'PartialObjectMetadata':
			return { as: 'metadata', version, list: false };
		case 'PartialObjectMetadataList':
			return { as: 'metadata', version, list: true };
		default:
			return undefined;
	}
}
