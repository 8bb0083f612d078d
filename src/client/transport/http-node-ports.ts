import type { OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { closedBy, type Duplex, type DuplexClose, ENDED } from '../../api/contract/duplex.ts';
import { Inbox } from '../../api/streams/inbox.ts';
import { socketConnection } from '../../base/spdy/socket-connection.ts';
import { SpdySession } from '../../base/spdy/spdy-session.ts';
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts';
import type { DuplexTarget, UpgradeRefusal } from './http-node-duplex.ts';

/** How many bytes may wait to be received. */
const PORT_WINDOW_BYTES = 64 * 1024;

/**
 * Opens a connection to a port of a Pod: channel 0 of the session carries its bytes, and an end of it is a half close;
 * channel 1 the text of an error. It uses SPDY/3.1 as kubectl does, since the channels of a WebSocket have no half close.
 * Resolves and rejects like {@link openDuplex}.
 */
export async function openPort(target: DuplexTarget, port: string): Promise<Duplex | UpgradeRefusal> {
	const answer = await upgraded(target);
	if ('response' in answer) return answer;
	const { socket } = answer;
	const session = new SpdySession({ isServer: false, connection: socketConnection(socket) });
	socket.setTimeout(0);
	socket.on('data', (bytes: Uint8Array) => session.receive(bytes));
	socket.once('end', () => session.lose()).once('close', () => session.lose());
	const headers = { port, requestid: '0' };
	const error = session.open(new Map(Object.entries({ ...headers, streamtype: 'error' })));
	void error.end();
	const data = session.open(new Map(Object.entries({ ...headers, streamtype: 'data' })));
	return closedBy(target.signal, portSession(session, data, error));
}

function upgraded({
	url,
	socket: socketPath,
	headers,
	tls,
	signal,
	limits,
}: DuplexTarget): Promise<{ readonly socket: Socket } | UpgradeRefusal> {
	const module = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
	const asked: OutgoingHttpHeaders = {
		...headers,
		connection: 'Upgrade',
		upgrade: 'SPDY/3.1',
		'x-stream-protocol-version': 'portforward.k8s.io',
	};
	return new Promise((resolve, reject) => {
		const options = {
			...tls,
			...(socketPath !== undefined && { socketPath }),
			method: 'POST',
			agent: false as const,
			headers: asked,
			timeout: limits.connectMs,
		};
		const request = module.request(url, { ...options, ...(signal && { signal }) });
		request.once('timeout', () => request.destroy(new Error('the server does not answer')));
		request.once('error', reject).once('response', (response) => resolve({ response }));
		request.once('upgrade', (_, socket) => {
			// Errors after the handshake close the session.
			socket.on('error', () => undefined);
			socket.setKeepAlive(true, limits.probeMs);
			resolve({ socket });
		});
		request.end();
	});
}

function portSession(session: SpdySession, data: SpdyStream, error: SpdyStream): Duplex {
	const closed = Promise.withResolvers<DuplexClose>();
	const inbox = new Inbox(PORT_WINDOW_BYTES);
	const collect = async (stream: SpdyStream, channel: number): Promise<void> => {
		for (let bytes = await stream.read(); bytes; bytes = await stream.read())
			if (!(await inbox.put({ type: 'data', channel, bytes }))) return;
		await inbox.put({ type: 'end', channel });
	};
	const finish = (reason: DuplexClose): void => {
		closed.resolve(reason);
		inbox.finish();
		session.close();
	};
	void Promise.all([collect(data, 0), collect(error, 1)]).then(() => finish(ENDED));
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
