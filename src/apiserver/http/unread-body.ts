import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';

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
