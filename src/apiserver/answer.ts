import { partialMetadata, type TableMeta, tableOf } from '../api/meta/table.ts';
import type { Format } from './negotiate.ts';
import type { ListResult, Result } from './result.ts';
import type { StoredObject } from './stored-object.ts';

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

/** Makes the answer; `now` serves the ages in Tables. */
export function answerOf(result: Result, format: Format, now: number): Answer {
	if (result.type === 'status') return valueAnswer(result.code, result.status);
	if (format.as === 'table') {
		const { definition } = result.type === 'list' ? result.codec : result.stored.codec;
		const objects = itemsOf(result).map(({ object }) => object);
		const { includeObject } = format;
		const table = tableOf(definition, objects, { metadata: metadataOf(result), includeObject, now });
		return valueAnswer(result.code, table);
	}
	if (format.as === 'metadata') return valueAnswer(result.code, metadataAlone(result));
	return result.type === 'list' ? listAnswer(result) : objectAnswer(result.code, result.stored);
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
	const kind = `${codec.definition.kind}List`;
	const { apiVersion } = codec;
	const metadata = metadataOf(result);
	return {
		code,
		contentType: JSON_TYPE,
		object: () =>
			Object.freeze({ kind, apiVersion, metadata, items: Object.freeze(items.map(({ object }) => object)) }),
		bytes: () => listBytes(JSON.stringify({ kind, apiVersion, metadata }), items),
	};
}

/** How large the pieces of a long list are. */
const PIECE_BYTES = 256 * 1024;

function* listBytes(head: string, items: readonly StoredObject[]): Iterable<Uint8Array> {
	let piece: Uint8Array[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
	let size = 0;
	for (const [index, { bytes }] of items.entries()) {
		if (index > 0) piece.push(COMMA);
		piece.push(bytes);
		size += bytes.length;
		if (size < PIECE_BYTES) continue;
		yield Buffer.concat(piece);
		piece = [];
		size = 0;
	}
	yield Buffer.concat([...piece, LIST_END]);
}

const COMMA = Buffer.from(',');
const LIST_END = Buffer.from(']}');

function itemsOf(result: Exclude<Result, { readonly type: 'status' }>): readonly StoredObject[] {
	return result.type === 'list' ? result.items : [result.stored];
}

function metadataOf(result: Exclude<Result, { readonly type: 'status' }>): TableMeta {
	if (result.type === 'object') return { resourceVersion: String(result.stored.revision) };
	const { revision, continueToken, remaining } = result;
	return {
		resourceVersion: String(revision),
		...(continueToken && { continue: continueToken }),
		...(remaining !== undefined && { remainingItemCount: remaining }),
	};
}

function metadataAlone(result: Exclude<Result, { readonly type: 'status' }>): unknown {
	if (result.type === 'object') return partialMetadata(result.stored.object);
	return {
		kind: 'PartialObjectMetadataList',
		apiVersion: 'meta.k8s.io/v1',
		metadata: metadataOf(result),
		items: result.items.map(({ object }) => partialMetadata(object)),
	};
}
