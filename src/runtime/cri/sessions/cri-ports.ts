import type { Duplex, DuplexClose } from '../../../api/contract/duplex.ts';
import { ENDED } from '../../../api/contract/duplex.ts';
import { Inbox } from '../../../api/streams/inbox.ts';
import type { SpdySession } from '../../../base/spdy/spdy-session.ts';
import type { SpdyStream } from '../../../base/spdy/spdy-stream.ts';
import { spdySessionAt, streamText } from './spdy-upgrade.ts';

/** How many bytes may wait to be received. */
const WINDOW_BYTES = 64 * 1024;
const PROTOCOL = 'portforward.k8s.io';

/**
 * Connects to a port in the network of a sandbox, at the address that the runtime has given. The runtime tells that nothing
 * listens only after the connection is made: the session fails with its text then. Rejects with RuntimeUnavailable.
 */
export async function criPort(address: string, port: number): Promise<Duplex> {
	const spdy = await spdySessionAt(address, PROTOCOL);
	const headers = { port: String(port), requestid: '0' };
	const error = spdy.open(new Map(Object.entries({ ...headers, streamtype: 'error' })));
	void error.end();
	const data = spdy.open(new Map(Object.entries({ ...headers, streamtype: 'data' })));
	return portDuplex(spdy, data, error);
}

function portDuplex(spdy: SpdySession, data: SpdyStream, error: SpdyStream): Duplex {
	const closed = Promise.withResolvers<DuplexClose>();
	const inbox = new Inbox(WINDOW_BYTES);
	const finish = (reason: DuplexClose): void => {
		closed.resolve(reason);
		inbox.finish();
		spdy.close();
	};
	const collect = async (): Promise<void> => {
		for (let bytes = await data.read(); bytes; bytes = await data.read())
			if (!(await inbox.put({ type: 'data', channel: 0, bytes }))) return;
		await inbox.put({ type: 'end', channel: 0 });
	};
	void Promise.all([streamText(error), collect()]).then(([text]) => {
		const message = text.trim();
		finish(message === '' ? ENDED : { type: 'failed', message });
	});
	return {
		receive: () => inbox.take(),
		send: (message) => {
			if (message.channel !== 0) return Promise.resolve(true);
			return message.type === 'data' ? data.write(message.bytes) : data.end().then(() => true);
		},
		close: (reason = ENDED) => {
			inbox.discard();
			data.reset();
			finish(reason);
		},
		closed: closed.promise,
	};
}
