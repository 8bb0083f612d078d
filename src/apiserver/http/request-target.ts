import type { IncomingMessage } from 'node:http';
import { badRequest } from '../../api/errors/api-error.ts';
import { Query } from '../query.ts';

/** The path and the query of a request. Throws BadRequest if the request does not name its target clearly. */
export function targetOf({ url = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>): {
	readonly path: string;
	readonly query: Query;
} {
	// A proxy in front of the server and the server could each use another one of them.
	if (countOf(rawHeaders, 'host') > 1) throw badRequest('too many Host headers');
	if (!url.startsWith('/')) throw badRequest('the request target must be a path');
	const { path, search } = splitTarget(url);
	if (search === '') return { path, query: new Query() };
	const values = new Map<string, string[]>();
	for (const [name, value] of new URLSearchParams(search)) {
		const known = values.get(name);
		if (known) known.push(value);
		else values.set(name, [value]);
	}
	return { path, query: new Query(Object.fromEntries(values)) };
}

/** The path of a request target and, as `search`, its query as it was sent, with the question mark; empty if it has none. */
export function splitTarget(url: string): { readonly path: string; readonly search: string } {
	const mark = url.indexOf('?');
	return mark < 0 ? { path: url, search: '' } : { path: url.slice(0, mark), search: url.slice(mark) };
}

/** Counts how often a header was sent; `rawHeaders` alternates names and values. */
function countOf(rawHeaders: readonly string[], name: string): number {
	return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}
