import type { IncomingMessage } from 'node:http';
import { quote } from '../../base/quote.ts';
import { type Digest, DigestError, parseDigest } from '../digest.ts';
import type { ImageStore } from '../store/image-store.ts';
import { RegistryProblem } from './registry-problem.ts';
import type { Uploads } from './uploads.ts';

/** A request to the registry, as the functions that answer it get it. */
export interface RegistryCall {
	readonly request: IncomingMessage;
	readonly query: URLSearchParams;
	/** The registry as the client calls it, such as `localhost:5000`. */
	readonly host: string;
	/** The repository; empty for what concerns all of them. Well-formed. */
	readonly name: string;
	/** The last part of the path: a tag, a digest or the id of an upload; empty where the path has none. */
	readonly reference: string;
	readonly store: ImageStore;
	readonly uploads: Uploads;
	/** Reports that a tag means another manifest now, or no longer means one. */
	readonly onTag: (change: TagChange) => Promise<void>;
}

/** A tag that was pushed or removed. */
export interface TagChange {
	readonly name: string;
	readonly tag: string;
	/** The registry as the client calls it, such as `localhost:5000`. */
	readonly host: string;
	/** What the tag means now; undefined: it was removed. */
	readonly digest: Digest | undefined;
}

/** An answer. `HEAD` gets the same one without its body. */
export interface RegistryReply {
	readonly status: number;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: Uint8Array | string | FilePart;
}

/** A part of a file. */
export interface FilePart {
	readonly path: string;
	/** The first byte, and the number of bytes. */
	readonly start: number;
	readonly length: number;
}

/** A function that answers a request. Rejects with a {@link RegistryProblem} to refuse it. */
export type CallHandler = (call: RegistryCall) => Promise<RegistryReply>;

/** The digest in a request. Throws a {@link RegistryProblem} if the text is none. */
export function digestIn(text: string): Digest {
	try {
		parseDigest(text);
		return text;
	} catch (error) {
		if (!(error instanceof DigestError)) throw error;
		throw new RegistryProblem('DIGEST_INVALID', `${quote(text.slice(0, 200))}: ${error.message}`);
	}
}

/** The pieces of the body of a request. A reader that stops early can still answer, which it cannot with `for await`. */
export function piecesOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
	return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

/** The whole body of a request. Throws a {@link RegistryProblem} if it is longer than `maxBytes`. */
export async function wholeBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
	const pieces: Uint8Array[] = [];
	let length = 0;
	for await (const piece of piecesOf(request)) {
		length += piece.length;
		if (length > maxBytes)
			throw new RegistryProblem('SIZE_INVALID', `the body exceeds the maximum of ${maxBytes} bytes`);
		pieces.push(piece);
	}
	return Buffer.concat(pieces);
}
