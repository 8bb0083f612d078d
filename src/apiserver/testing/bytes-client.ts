/**
 * Sends requests as bytes and reads responses as text, without a connection: for tests of bodies and formats.
 */

import { ADMIN } from '../../api/contract/user.ts';
import { isRecord } from '../../base/json/json.ts';
import { parseJson } from '../../base/json/json-reader.ts';
import { nextTurn } from '../../base/turn.ts';
import { apiErrorOf } from '../errors.ts';
import { Query } from '../query.ts';
import type { Call, Method } from '../request.ts';
import type { ApiServer } from '../server.ts';

/** What a test sends besides method and path. */
export interface SentBytes {
	readonly body?: string | Uint8Array;
	readonly contentType?: string;
	readonly accept?: string;
	readonly query?: Readonly<Record<string, string>>;
}

/** The response; for an error its Status. */
export interface BytesAnswer {
	readonly code: number;
	readonly text: string;
	readonly json: Readonly<Record<string, unknown>>;
	/** The message of a Status; empty for other responses. */
	readonly message: string;
	readonly warnings: readonly string[];
}

/** Sends a request and resolves to its response, also for an error: an unexpected one becomes a 500. */
export async function sendBytes(
	server: ApiServer,
	method: Method,
	path: string,
	{ body, contentType = 'application/json', accept = '', query }: SentBytes = {},
): Promise<BytesAnswer> {
	const call: Call = {
		user: ADMIN,
		method,
		path,
		query: new Query(query),
		body: body === undefined ? undefined : { type: 'bytes', bytes: Buffer.from(body) },
		contentType,
		accept,
		signal: undefined,
		pause: nextTurn,
		warnings: [],
	};
	try {
		const answer = await server.answer(call);
		return answered(answer.code, Buffer.concat([...answer.bytes()]).toString(), call.warnings);
	} catch (error) {
		const { code, status } = apiErrorOf(error, () => undefined);
		return answered(code, JSON.stringify(status), call.warnings);
	}
}

function answered(code: number, text: string, warnings: readonly string[]): BytesAnswer {
	const json = parseJson(text);
	const record = isRecord(json) ? json : {};
	const message = typeof record.message === 'string' ? record.message : '';
	return { code, text, json: record, message, warnings };
}
