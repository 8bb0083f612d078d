import { type ApiError, notAcceptableForm } from '../api/meta/api-error.ts';
import {
	cellsOf,
	partialMetadata,
	type RowOptions,
	type TableMeta,
	tableHead,
	tableOf,
} from '../api/meta/table.ts';
import type { Format } from './negotiate.ts';
import type { ListResult, Result } from './result.ts';
import type { ResourceCodec, StoredObject } from './stored-object.ts';

/** The encode stage: what a verb came to, in the form that the client asked for. */

/** An answer, for callers in this process as an object and for others as bytes. */
export interface Answer {
	readonly code: number;
	readonly contentType: string;
	/** Names the content, for clients that have seen it before. */
	readonly etag?: string;
	/** The address says which version it is (`?hash=…`), so it can be kept for good. */
	readonly immutable?: boolean;
	/** What a caller in this process gets: frozen objects, or text. */
	readonly object: () => unknown;
	/** The body, in pieces of a size that is good to send. */
	readonly bytes: () => Iterable<Uint8Array>;
}

const JSON_TYPE = 'application/json';

/** Makes the answer; `now` serves the ages in Tables. Throws NotAcceptable for a form that the result has not. */
export function answerOf(result: Result, format: Format, now: number): Answer {
	if (result.type === 'status') return valueAnswer(result.code, result.status);
	switch (format.as) {
		case 'plain':
			return result.type === 'list' ? listAnswer(result) : objectAnswer(result.code, result.stored);
		case 'table':
			return tableAnswer(result, format, now);
		case 'metadata':
			return metadataAnswer(result, format);
	}
}

/** An answer that is a JSON value of the server's own. */
export function valueAnswer(code: number, value: unknown): Answer {
	const bytes = (): Iterable<Uint8Array> => [Buffer.from(JSON.stringify(value))];
	return { code, contentType: JSON_TYPE, object: () => value, bytes };
}

/** An answer that is plain text. */
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
		// Callers in this process share the objects as they are, with kind and apiVersion in each.
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

/** 406 for the metadata of a list where there is one object, or the reverse; it names upstream's Go type. */
function notAcceptableAs({ definition: { group, kind } }: ResourceCodec, list: boolean): ApiError {
	const goPackage = group.split('.', 1)[0] || 'core';
	return notAcceptableForm(
		list
			? `you requested PartialObjectMetadataList, but the requested object is not a list (*${goPackage}.${kind})`
			: `you requested PartialObjectMetadata, but the requested object is a list (*${goPackage}.${kind}List)`,
	);
}

/** A piece of a long list is sent once it shows objects of so many bytes, or so many objects. */
const PIECE_BYTES = 128 * 1024;
const PIECE_OBJECTS = 100;

/** How the JSON of a list is made. */
interface ListForm {
	/** The fields before the list itself. */
	readonly head: object;
	/** The name of the list's field. */
	readonly field: 'items' | 'rows';
	/** The JSON of one element, in pieces. */
	readonly encode: (stored: StoredObject) => readonly Uint8Array[];
}

/** Each piece takes little work to make, so that a list of any length leaves room for other requests. */
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
		// What it takes to make a row is the size of the object, however little of it is shown.
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

/** The row of an object as JSON; the whole object is shown by the bytes that are stored. */
export function rowBytes(stored: StoredObject, options: RowOptions): readonly Uint8Array[] {
	const { version, includeObject, now } = options;
	const { object, codec } = stored;
	const cells = `{"cells":${JSON.stringify(cellsOf(codec.definition, object, now))},"object":`;
	if (includeObject === 'Object') return [Buffer.from(cells), stored.bytes, ROW_END];
	const shown = includeObject === 'None' ? null : partialMetadata(object, version);
	return [Buffer.from(`${cells}${JSON.stringify(shown)}}`)];
}

type ObjectsResult = Exclude<Result, { readonly type: 'status' }>;

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
