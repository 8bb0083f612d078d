import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { codeOf } from '../../base/files/system-error.ts';

/** Limits on reading and discarding the rest of a body after an error response that did not wait for it. */
const DISCARD_BYTES = 64 * 1024 * 1024;
const DISCARD_MS = 2000;

/**
 * Reads and discards what a client still sends after an early response: closing the connection before would
 * reset it, and the client would lose the response. Calls `done` at the end of the body, or when {@link
 * DISCARD_BYTES} or {@link DISCARD_MS} is exceeded.
 */
export function discardBody(request: IncomingMessage, clock: Clock, done: () => void): void {
	let bytes = 0;
	const finish = (): void => {
		timer.cancel();
		done();
	};
	const timer = clock.setTimer(DISCARD_MS, finish);
	request.on('data', (piece: Uint8Array) => {
		bytes += piece.length;
		if (bytes > DISCARD_BYTES) finish();
	});
	request.once('close', finish).once('end', finish);
	// A proxy may have paused it.
	request.resume();
}

/** The answers to messages that are no complete requests, by the code of Node's error; 400 for others. */
const ANSWERS: Readonly<Record<string, string>> = {
	HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
	HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
	ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Whether the error says that a client has taken too long to send a complete request. */
export function isRequestTimeout(error: unknown): boolean {
	return codeOf(error) === 'ERR_HTTP_REQUEST_TIMEOUT';
}

/**
 * Refuses a message that is no complete request and closes its connection: what Node does for a server without a listener
 * for such errors. `isAnswering` says whether the head of another answer has been sent already.
 */
export function refuseMessage(error: unknown, socket: Duplex, isAnswering: boolean): void {
	const code = codeOf(error);
	const isHttp = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
	if (isHttp && socket.writable && !isAnswering)
		socket.write(`HTTP/1.1 ${ANSWERS[code] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
	socket.destroy();
}
