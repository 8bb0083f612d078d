import { type ApiError, badRequest, expired, tooLargeRevision } from '../../api/errors/api-error.ts';
import { CompactedError, FutureRevisionError, type RangeResult } from '../../store/store.ts';
import type { ServerContext } from '../context.ts';
import { reworded } from '../errors.ts';
import { pauseRegularly, type ResourceRequest } from '../request.ts';
import type { ListResult } from '../result.ts';
import { Matcher } from '../storage/matcher.ts';
import type { ResourceReader } from '../storage/resource-cache.ts';
import { StoredObject } from '../storage/stored-object.ts';
import { type ContinueToken, decodeToken, encodeToken } from './continue-token.ts';
import { untilFresh } from './freshness.ts';
import { type ListQuery, listOptions } from './list-options.ts';

/**
 * GET of a collection. The result comes from the cache, without reading the store, in two cases: the client
 * accepts the latest state, or nothing of the resource has changed since the revision that it asks for
 * (resourceVersionMatch=Exact, or a continue token). Otherwise the store is read as of that revision, so that
 * all pages of a list show the same state. Throws BadRequest, Invalid, Expired for a compacted revision, and
 * Timeout for a future one.
 */
export async function listObjects(server: ServerContext, request: ResourceRequest): Promise<ListResult> {
	const options = listOptions(request, 'list');
	const { cache } = server;
	const token = tokenOf(options, cache.revision);
	await untilFresh(server, options.revision ?? 0, request.call.signal);
	const { resource } = request;
	const revision = (token ? token.revision : exactRevision(options)) ?? cache.revision;
	const wanted: Wanted = {
		selected: new Matcher(resource.codec, options.selection),
		after: token ? resource.codec.keyPrefix + token.start : '',
		limit: options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY,
		pauseIfDue: pauseRegularly(request.call),
	};
	const page =
		revision >= resource.changedAt
			? await pageFromCache(resource, wanted)
			: await pageFromStore(server, resource, { wanted, revision, token });
	return resultOf(resource, revision, { wanted, page });
}

/** Which objects the page may contain. */
interface Wanted {
	readonly selected: Matcher;
	/** Only keys after this one; empty for the first page. */
	readonly after: string;
	readonly limit: number;
	readonly pauseIfDue: (bytes: number) => Promise<void> | undefined;
}

/** The objects of a page. */
interface Page {
	readonly items: readonly StoredObject[];
	/** Whether at least one more object follows the page. */
	readonly more: boolean;
	/** Number of objects after the page, if it is known. */
	readonly remaining: number | undefined;
}

function exactRevision({ match, revision, limit }: ListQuery): number | undefined {
	if (revision === undefined || revision === 0) return undefined;
	return match === 'Exact' || (match === '' && limit > 0) ? revision : undefined;
}

/**
 * Decodes the continue token, if there is one. Throws BadRequest if it is not valid, or if the request also
 * has a resourceVersion.
 */
function tokenOf({ continueToken, revision }: ListQuery, current: number): ContinueToken | undefined {
	if (continueToken === '') return undefined;
	const token = decodeToken(continueToken, current);
	if (revision !== undefined && revision !== 0) {
		throw badRequest('specifying resource version is not allowed when using continue');
	}
	return token;
}

async function pageFromCache(resource: ResourceReader, wanted: Wanted): Promise<Page> {
	const { selected, after, limit, pauseIfDue } = wanted;
	const candidates = resource.candidates(selected, after);
	if (selected.byKey) {
		const items = candidates.length > limit ? candidates.slice(0, limit) : candidates;
		const remaining = candidates.length - items.length;
		return { items, more: remaining > 0, remaining };
	}
	const items: StoredObject[] = [];
	for (const stored of candidates) {
		await pauseIfDue(stored.size);
		if (!selected.matches(stored)) continue;
		if (items.length >= limit) return { items, more: true, remaining: undefined };
		items.push(stored);
	}
	return { items, more: false, remaining: undefined };
}

/** Limits of one read from the store, which blocks the event loop. */
const READ_LENGTH = { limit: 100, bytes: 512 * 1024 };

interface PastPage {
	readonly wanted: Wanted;
	readonly revision: number;
	readonly token: ContinueToken | undefined;
}

/**
 * Reads only the part of the store that the page needs, so a client that pages through a list causes each
 * object to be read once.
 */
async function pageFromStore(
	server: ServerContext,
	{ codec }: ResourceReader,
	{ wanted, revision, token }: PastPage,
): Promise<Page> {
	const { selected, limit, pauseIfDue } = wanted;
	const items: StoredObject[] = [];
	let { after } = wanted;
	for (;;) {
		const piece = await readPast(server, { prefix: selected.prefix, after, revision }, token);
		for (const { key, value, revision: at } of piece.entries) {
			await pauseIfDue(value.length);
			const stored = new StoredObject(codec, { key, value, revision: at });
			if (!selected.matches(stored)) continue;
			if (items.length >= limit) return { items, more: true, remaining: remainingOf(token, items.length) };
			items.push(stored);
		}
		if (!piece.more) return { items, more: false, remaining: undefined };
		after = piece.entries.at(-1)?.key ?? after;
	}
}

async function readPast(
	{ store, cache }: ServerContext,
	{ prefix, after, revision }: { readonly prefix: string; readonly after: string; readonly revision: number },
	token: ContinueToken | undefined,
): Promise<RangeResult> {
	try {
		return await store.range({ prefix, revision, ...READ_LENGTH, ...(after !== '' && { after }) });
	} catch (error) {
		if (error instanceof FutureRevisionError) throw tooLargeRevision(revision, cache.revision);
		if (!(error instanceof CompactedError)) throw error;
		throw token ? expiredToken(token) : expired('The resourceVersion for the provided list is too old.');
	}
}

/**
 * The store does not count the remaining objects. If the token knew their number at its page, this page
 * subtracts its own objects from it.
 */
function remainingOf(token: ContinueToken | undefined, shown: number): number | undefined {
	return token?.remaining === undefined ? undefined : Math.max(token.remaining - shown, 0);
}

/**
 * 410 with a token with which the client can read the rest of the list in its latest state (upstream:
 * handleCompactedErrorForPaging).
 */
function expiredToken({ start }: ContinueToken): ApiError {
	const error = expired(
		'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
	);
	const token = encodeToken({ revision: undefined, start, remaining: undefined });
	return reworded(error, { metadata: { continue: token } });
}

function resultOf(
	{ codec }: ResourceReader,
	revision: number,
	{ page, wanted }: { readonly page: Page; readonly wanted: Wanted },
): ListResult {
	const { items, more, remaining } = page;
	const last = items.at(-1);
	const start = last?.key.slice(codec.keyPrefix.length) ?? '';
	return {
		type: 'list',
		code: 200,
		codec,
		revision,
		items,
		continueToken: more && last ? encodeToken({ revision, start, remaining }) : '',
		remaining: more && wanted.selected.isWhole ? remaining : undefined,
	};
}
