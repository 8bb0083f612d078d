/**
 * The encoding stage: turns the result of a verb into the form that the client asked for (object, Table or
 * metadata only), as frozen objects for callers in this process and as bytes for HTTP clients.
 *
 * 1. Stored bytes are sent as they are; only Tables and partial metadata are encoded for a request.
 * 2. The body of a list is a generator of pieces. Each piece takes a few milliseconds to encode, so the event
 *    loop serves other requests between two of them.
 */

import { apiVersionOf } from '../api/contract/resource-definition.ts';
import { type ApiError, notAcceptableForm } from '../api/errors/api-error.ts';
import {
	cellsOf,
	partialMetadata,
	type RowOptions,
	type TableMeta,
	tableHead,
	tableOf,
} from '../api/meta/table.ts';
import type { Format } from './http/negotiate.ts';
import type { ListResult, Result } from './result.ts';
import type { ResourceCodec, StoredObject } from './storage/stored-object.ts';

/**
 * A response. Callers in this process take the object, the HTTP layer takes the bytes; each is made only when
 * it is asked for.
 */
export interface Answer {
	readonly code: number;
	readonly contentType: string;
	/** ETag of the content; a client that sends it back in If-None-Match receives 304. */
	readonly etag?: string;
	/**
	 * The URL contains a hash of the content (`?hash=…`), so clients may cache the response without
	 * revalidating it.
	 */
	readonly immutable?: boolean;
	/** Seconds for which clients may cache the response. By default they must revalidate it. */
	readonly maxAgeSeconds?: number;
	/** The response for callers in this process: frozen objects, or text. */
	readonly object: () => unknown;
	/** The body, in pieces of about 128 KiB. */
	readonly bytes: () => Iterable<Uint8Array>;
}

const JSON_TYPE = 'application/json';

/**
 * Makes the response. `now` (ms since the epoch) is the time from which Tables compute ages. Throws
 * NotAcceptable for a form that the result does not have: metadata of a list for one object, or the reverse.
 */
export function answerOf(result: Result, format: Format, now: number): Answer {
	if (result.type === 'status') return valueAnswer(result.code, result.status);
	if (result.type === 'value') return valueAnswer(result.code, result.value);
	if (result.type === 'computed') return computedAnswer(result, format, now);
	switch (format.as) {
		case 'plain':
			return result.type === 'list' ? listAnswer(result) : objectAnswer(result.code, result.stored);
		case 'table':
			return tableAnswer(result, format, now);
		case 'metadata':
			return metadataAnswer(result, format);
	}
}

/** The metadata of computed objects is not served apart: the whole object is the answer, and clients take it. */
function computedAnswer(
	{ code, definition, items, isList }: Extract<Result, { type: 'computed' }>,
	format: Format,
	now: number,
): Answer {
	if (format.as === 'table')
		return valueAnswer(code, tableOf(definition, items, { ...format, metadata: {}, now }));
	const { kind } = definition;
	const head = { kind: `${kind}List`, apiVersion: apiVersionOf(definition), metadata: {} };
	return valueAnswer(code, isList ? { ...head, items } : items[0]);
}

/** A response with a JSON value that is not a stored object. */
export function valueAnswer(code: number, value: unknown): Answer {
	const bytes = (): Iterable<Uint8Array> => [Buffer.from(JSON.stringify(value))];
	return { code, contentType: JSON_TYPE, object: () => value, bytes };
}

/** A response of plain text. */
export function textAnswer(code: number, text: string): Answer {
	const bytes = (): Iterable<Uint8Array> => [Buffer.from(text)];
	return { code, contentType: 'text/plain; charset=utf-8', object: () => text, bytes };
}

function objectAnswer(code: number, stored: StoredObject): Answer {
	return { code, contentType: JSON_TYPE, object: () => stored.object, bytes: () => [stored.bytes] };
}

function listAnswer(result: ListResult): Answer {
	const { code, codec, items } = result;
	const head = { ...listKind(codec), metadata: metadataOf(result) };
	return {
		code,
		contentType: JSON_TYPE,
		// Callers in this process share the cached objects, which carry kind and apiVersion; a copy without them
		// for each item would cost more than the two fields.
		object: () => Object.freeze({ ...head, items: Object.freeze(items.map(({ object }) => object)) }),
		bytes: () => listBytes(items, { head, field: 'items', encode: ({ itemBytes }) => [itemBytes] }),
	};
}

function listKind({ definition, apiVersion }: ResourceCodec): { kind: string; apiVersion: string } {
	return { kind: `${definition.kind}List`, apiVersion };
}

function tableAnswer(result: ObjectsResult, format: Extract<Format, { as: 'table' }>, now: number): Answer {
	const { definition } = codecOf(result);
	const items = itemsOf(result);
	const options = { ...format, metadata: metadataOf(result), now };
	return {
		code: result.code,
		contentType: JSON_TYPE,
		object: () =>
			tableOf(
				definition,
				items.map(({ object }) => object),
				options,
			),
		bytes: () =>
			listBytes(items, {
				head: tableHead(definition, options),
				field: 'rows',
				encode: (stored) => rowBytes(stored, options),
			}),
	};
}

function metadataAnswer(
	result: ObjectsResult,
	{ version, list }: Extract<Format, { as: 'metadata' }>,
): Answer {
	if (list !== (result.type === 'list')) throw notAcceptableAs(codecOf(result), list);
	if (result.type === 'object')
		return valueAnswer(result.code, partialMetadata(result.stored.object, version));
	const { items } = result;
	const apiVersion = `meta.k8s.io/${version}`;
	const head = { kind: 'PartialObjectMetadataList', apiVersion, metadata: metadataOf(result) };
	const shown = ({ object }: StoredObject): unknown => partialMetadata(object, version);
	return {
		code: result.code,
		contentType: JSON_TYPE,
		object: () => ({ ...head, items: items.map(shown) }),
		bytes: () =>
			listBytes(items, {
				head,
				field: 'items',
				encode: (stored) => [Buffer.from(JSON.stringify(shown(stored)))],
			}),
	};
}

/**
 * 406 for the metadata of a list where the result is one object, or the reverse. The message names the Go
 * type that upstream would.
 */
function notAcceptableAs({ definition: { group, kind } }: ResourceCodec, list: boolean): ApiError {
	const goPackage = group.split('.', 1)[0] || 'core';
	return notAcceptableForm(
		list
			? `you requested PartialObjectMetadataList, but the requested object is not a list (*${goPackage}.${kind})`
			: `you requested PartialObjectMetadata, but the requested object is a list (*${goPackage}.${kind}List)`,
	);
}

/** A piece of a list ends after this many bytes of stored objects, or this many objects. */
const PIECE_BYTES = 128 * 1024;
const PIECE_OBJECTS = 100;

/** How the JSON of a list is composed. */
interface ListForm {
	/** The fields before the list itself. */
	readonly head: object;
	/** The name of the list's field. */
	readonly field: 'items' | 'rows';
	/** The JSON of one element, in pieces. */
	readonly encode: (stored: StoredObject) => readonly Uint8Array[];
}

/**
 * Yields the list in pieces that each take a few milliseconds to make, so a list of any length does not block
 * other requests.
 */
function* listBytes(
	items: readonly StoredObject[],
	{ head, field, encode }: ListForm,
): Generator<Uint8Array, void> {
	let piece: Uint8Array[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"${field}":[`)];
	let size = 0;
	let objects = 0;
	for (const [index, stored] of items.entries()) {
		if (index > 0) piece.push(COMMA);
		piece.push(...encode(stored));
		// The work for a row depends on the size of the whole object, which has to be decoded, and not on the
		// part of it that is shown.
		size += stored.size;
		objects += 1;
		if (size < PIECE_BYTES && objects < PIECE_OBJECTS) continue;
		yield Buffer.concat(piece);
		piece = [];
		size = 0;
		objects = 0;
	}
	yield Buffer.concat([...piece, LIST_END]);
}

const COMMA = Buffer.from(',');
const LIST_END = Buffer.from(']}');
const ROW_END = Buffer.from('}');

/**
 * The Table row of an object as JSON. With includeObject=Object the stored bytes are inserted without
 * encoding the object again.
 */
export function rowBytes(stored: StoredObject, options: RowOptions): readonly Uint8Array[] {
	const { version, includeObject, now } = options;
	const { object, codec } = stored;
	const cells = `{"cells":${JSON.stringify(cellsOf(codec.definition, object, now))},"object":`;
	if (includeObject === 'Object') return [Buffer.from(cells), stored.bytes, ROW_END];
	const shown = includeObject === 'None' ? null : partialMetadata(object, version);
	return [Buffer.from(`${cells}${JSON.stringify(shown)}}`)];
}

type ObjectsResult = Exclude<Result, { readonly type: 'status' | 'value' | 'computed' }>;

function codecOf(result: ObjectsResult): ResourceCodec {
	return result.type === 'list' ? result.codec : result.stored.codec;
}

function itemsOf(result: ObjectsResult): readonly StoredObject[] {
	return result.type === 'list' ? result.items : [result.stored];
}

function metadataOf(result: ObjectsResult): TableMeta {
	if (result.type === 'object') return { resourceVersion: String(result.stored.revision) };
	const { revision, continueToken, remaining } = result;
	return {
		resourceVersion: String(revision),
		...(continueToken && { continue: continueToken }),
		...(remaining !== undefined && { remainingItemCount: remaining }),
	};
}
