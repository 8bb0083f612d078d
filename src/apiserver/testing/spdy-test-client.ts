import type { IncomingMessage } from 'node:http';
import { request as open } from 'node:https';
import type { Duplex as Connection } from 'node:stream';
import { socketConnection } from '../../base/spdy/socket-connection.ts';
import { SpdySession } from '../../base/spdy/spdy-session.ts';
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts';
import type { HttpListener } from '../http/listener.ts';
import { testCredentials } from './https-test-client.ts';

/** A client that speaks SPDY/3.1 with a listener under test, as kubectl before 1.31. */
export interface SpdyTestClient {
	readonly session: SpdySession;
	readonly socket: Connection;
	/** The protocol that the server has chosen. */
	readonly protocol: string;
	/** Opens a stream of this type. */
	stream(type: string, headers?: Readonly<Record<string, string>>): SpdyStream;
}

/** A server under test; without credentials it is one of {@link testCredentials}. */
export interface SpdyTestServer extends Pick<HttpListener, 'url'> {
	readonly credentials?: { readonly caPem: string; readonly token: string };
}

/** Upgrades a connection; resolves to the client, or to the response of a server that refuses. */
export async function openSpdy(
	{ url, credentials }: SpdyTestServer,
	path: string,
	protocols: readonly string[],
): Promise<SpdyTestClient | IncomingMessage> {
	const { caPem, token } = credentials ?? (await testCredentials());
	return new Promise((resolve, reject) => {
		const request = open(`${url}${path}`, {
			method: 'POST',
			ca: caPem,
			servername: 'localhost',
			headers: {
				authorization: `Bearer ${token}`,
				connection: 'Upgrade',
				upgrade: 'SPDY/3.1',
				'x-stream-protocol-version': [...protocols],
			},
		});
		request.once('error', reject).once('response', resolve);
		request.once('upgrade', ({ headers }, socket) => {
			socket.on('error', () => undefined);
			const session = new SpdySession({ isServer: false, connection: socketConnection(socket) });
			socket.on('data', (bytes: Uint8Array) => session.receive(bytes)).once('close', () => session.lose());
			resolve({
				session,
				socket,
				protocol: String(headers['x-stream-protocol-version']),
				stream: (type, more = {}) => session.open(new Map(Object.entries({ streamtype: type, ...more }))),
			});
		});
		request.end();
	});
}

/** What arrives on a stream until its end. */
export async function spdyText(stream: SpdyStream): Promise<string> {
	const pieces: Uint8Array[] = [];
	for (let piece = await stream.read(); piece; piece = await stream.read()) pieces.push(piece);
	return Buffer.concat(pieces).toString();
}
