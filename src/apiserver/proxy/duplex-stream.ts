import { Duplex as NodeStream } from 'node:stream';
import { type Duplex, ENDED } from '../../api/contract/duplex.ts';

/**
 * Channel 0 of a session as a stream of Node, for node:http and node:tls. The stream owns the session: its destruction
 * closes it. An end of either direction is a half close.
 */
export function streamOf(session: Duplex): NodeStream {
	const stream = new NodeStream({
		read() {
			void receive(session, stream);
		},
		write(bytes: Buffer, _encoding, done) {
			void session.send({ type: 'data', channel: 0, bytes }).then((isOpen) => done(isOpen ? null : lost()));
		},
		final(done) {
			void session.send({ type: 'end', channel: 0 }).then(() => done());
		},
		destroy(error, done) {
			session.close(error ? { type: 'failed', message: error.message } : ENDED);
			done(error);
		},
	});
	return stream;
}

/** Passes one message on to the reader: a stream asks for the next one after each. */
async function receive(session: Duplex, stream: NodeStream): Promise<void> {
	const message = await session.receive();
	if (stream.destroyed) return;
	if (message?.type === 'data') {
		// Nothing asks for more after an empty piece.
		if (message.bytes.length === 0) await receive(session, stream);
		else stream.push(message.bytes);
		return;
	}
	const close = message ? ENDED : await session.closed;
	if (close.type === 'failed') stream.destroy(new Error(close.message));
	else stream.push(null);
}

function lost(): Error {
	return Object.assign(new Error('the connection is closed'), { code: 'EPIPE' });
}
