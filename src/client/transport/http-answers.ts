/**
 * Decodes the bodies of answers. Every transport that receives bytes uses these functions, so that its callers
 * get the same objects from each.
 */

import type { WatchEvent } from '../../api/contract/transport.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { deepFreeze } from '../../base/json/freeze.ts';
import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { JsonLines } from '../../base/json/json-lines.ts';
import { parseJson } from '../../base/json/json-reader.ts';
import { listAt, textAt } from '../raw-object.ts';
import { errorOfAnswer, isStatus } from './http-errors.ts';

/** The frozen object in the body of a successful answer; throws an ApiError if the body is not JSON. */
export function objectOfAnswer(body: string, request: { method: string; path: string }): unknown {
	const object = jsonOf(body);
	if (object === undefined) throw errorOfAnswer(500, body, request);
	return deepFreeze(addKinds(object));
}

/** The error of an answer with the HTTP status `code`, which is not 2xx. */
export function errorOfBody(code: number, body: string, request: { method: string; path: string }): ApiError {
	return errorOfAnswer(code, jsonOf(body) ?? body, request);
}

/** Decodes the body of a watch. */
export class WatchDecoder {
	readonly #lines = new JsonLines();

	/**
	 * The frozen events that `chunk` completes, up to an ERROR event, whose error is `failure` and ends the watch.
	 * Throws a SyntaxError for a line that is not JSON.
	 */
	push(chunk: Uint8Array): { readonly events: readonly WatchEvent[]; readonly failure?: Error } {
		return sortEvents(this.#lines.push(chunk));
	}

	/** Whether the body ends within an event, which means that the connection broke. */
	get unfinished(): boolean {
		return this.#lines.unfinished;
	}
}

function jsonOf(text: string): unknown {
	try {
		return parseJson(text);
	} catch {
		return undefined;
	}
}

/**
 * Adds kind and apiVersion to the items of a list. Upstream's server omits them, and callers here rely on
 * them.
 */
function addKinds(object: unknown): unknown {
	const kind = textAt(object, 'kind');
	const apiVersion = textAt(object, 'apiVersion');
	const items = listAt(object, 'items');
	if (!isRecord(object) || !kind?.endsWith('List') || !apiVersion) return object;
	if (items.every((item) => textAt(item, 'kind') !== undefined)) return object;
	const names: JsonRecord = { apiVersion, kind: kind.slice(0, -'List'.length) };
	return { ...object, items: items.map((item) => (isRecord(item) ? { ...names, ...item } : item)) };
}

function sortEvents(values: readonly unknown[]): ReturnType<WatchDecoder['push']> {
	const events: WatchEvent[] = [];
	for (const value of values) {
		if (isWatchEvent(value)) {
			events.push(deepFreeze(value));
			continue;
		}
		const object = isRecord(value) ? value.object : undefined;
		const failure = isStatus(object)
			? new ApiError(object)
			: new Error('the server sent an invalid watch event');
		return { events, failure };
	}
	return { events };
}

const EVENT_TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

function isWatchEvent(value: unknown): value is WatchEvent {
	return isRecord(value) && EVENT_TYPES.has(value.type) && isRecord(value.object);
}
