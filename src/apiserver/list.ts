import { badRequest, expired } from '../api/meta/api-error.ts';
import { isRecord } from '../base/json.ts';
import { CompactedError } from '../store/store.ts';
import type { ServerContext } from './context.ts';
import { tooLargeRevision } from './errors.ts';
import { type ListOptions, listOptions } from './list-options.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourceCache } from './resource-cache.ts';
import type { ListResult } from './result.ts';
import { isWhole, type Selection, selects } from './selection.ts';
import { StoredObject } from './stored-object.ts';

/**
 * GET of a collection. It is answered from memory, unless an exact revision is asked for (also by a
 * `continue` token) since which something changed: then the store is read as of that revision.
 */
export async function list(server: ServerContext, request: ResourceRequest): Promise<ListResult> {
	const options = listOptions(request, 'list');
	const from = startOf(options, request.resource);
	const { revision: current } = server.cache;
	if ((options.revision ?? 0) > current) throw tooLargeRevision(options.revision ?? 0, current);
	const revision = from?.revision ?? exactRevision(options) ?? current;
	const after = from?.after ?? '';
	const { resource } = request;
	const found =
		revision >= resource.changedAt
			? resource.select(options.selection, after)
			: await readAt(server, resource, options.selection, { revision, after });
	return pageOf(resource, found, options, revision);
}

/** Where a page begins: as of `revision`, after the key `after`. */
interface PageStart {
	readonly revision: number;
	readonly after: string;
}

function exactRevision({ match, revision, limit }: ListOptions): number | undefined {
	if (revision === undefined || revision === 0) return undefined;
	return match === 'Exact' || (match === '' && limit > 0) ? revision : undefined;
}

function pageOf(
	{ codec }: ResourceCache,
	found: readonly StoredObject[],
	{ limit, selection }: ListOptions,
	revision: number,
): ListResult {
	const cut = limit > 0 && found.length > limit;
	const items = cut ? found.slice(0, limit) : found;
	const last = items.at(-1);
	return {
		type: 'list',
		code: 200,
		codec,
		revision,
		items,
		continueToken: cut && last ? tokenOf(last.key.slice(codec.keyPrefix.length), revision) : '',
		remaining: cut && isWhole(selection) ? found.length - items.length : undefined,
	};
}

async function readAt(
	{ store }: ServerContext,
	{ codec, definition }: ResourceCache,
	selection: Selection,
	{ revision, after }: PageStart,
): Promise<readonly StoredObject[]> {
	try {
		const { entries } = await store.range({
			prefix: codec.keyPrefixOf(selection.namespace),
			revision,
			...(after !== '' && { after }),
		});
		const objects = entries.map(
			({ key, value, revision: at }) => new StoredObject(codec, { key, value, revision: at }),
		);
		return objects.filter(({ object }) => selects(selection, definition, object));
	} catch (error) {
		if (!(error instanceof CompactedError)) throw error;
		throw expired(
			after === ''
				? 'The resourceVersion for the provided list is too old.'
				: 'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
		);
	}
}

const TOKEN_VERSION = 'meta.k8s.io/v1';

function tokenOf(start: string, revision: number): string {
	return Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: revision, start })).toString('base64url');
}

function startOf({ continueToken, revision }: ListOptions, { codec }: ResourceCache): PageStart | undefined {
	if (continueToken === '') return undefined;
	if (revision !== undefined && revision !== 0) {
		throw badRequest('specifying resource version is not allowed when using continue');
	}
	const token = parseToken(continueToken);
	if (!token) throw badRequest('continue key is not valid');
	return { revision: token.rv, after: codec.keyPrefix + token.start };
}

function parseToken(text: string): { readonly rv: number; readonly start: string } | undefined {
	let token: unknown;
	try {
		token = JSON.parse(Buffer.from(text, 'base64url').toString());
	} catch {
		return undefined;
	}
	if (!isRecord(token)) return undefined;
	const { v, rv, start } = token;
	if (v !== TOKEN_VERSION || typeof rv !== 'number' || rv <= 0 || typeof start !== 'string') return undefined;
	return start === '' ? undefined : { rv, start };
}
