import type { Socket } from 'node:net';
import { messageOf } from '../../../base/message-of.ts';
import { socketConnection } from '../../../base/spdy/socket-connection.ts';
import { SpdySession } from '../../../base/spdy/spdy-session.ts';
import type { SpdyStream } from '../../../base/spdy/spdy-stream.ts';
import { RuntimeUnavailable } from '../../contract.ts';

/** How long the streaming server of the runtime may take to answer. */
const ANSWER_MS = 30_000;

/**
 * Opens a SPDY session at the address that the runtime has given for a call, as a kubelet does: the streaming servers of all
 * runtimes speak SPDY, and those of containerd before 2.0 nothing else. The caller closes the session. Rejects with
 * RuntimeUnavailable if there is no session.
 */
export async function spdySessionAt(address: string, protocol: string): Promise<SpdySession> {
	const socket = await upgraded(new URL(address), protocol).catch((error: unknown) => {
		throw new RuntimeUnavailable(`the streaming server of the container runtime: ${messageOf(error)}`);
	});
	const session = new SpdySession({ isServer: false, connection: socketConnection(socket) });
	socket.on('data', (bytes: Uint8Array) => session.receive(bytes));
	socket.once('end', () => session.lose()).once('close', () => session.lose());
	return session;
}

/** All that a stream sends, as text. */
export async function streamText(stream: SpdyStream): Promise<string> {
	const pieces: Uint8Array[] = [];
	for (let bytes = await stream.read(); bytes; bytes = await stream.read()) pieces.push(bytes);
	return Buffer.concat(pieces).toString();
}

async function upgraded(url: URL, protocol: string): Promise<Socket> {
	const { request } = await import(url.protocol === 'https:' ? 'node:https' : 'node:http');
	return await new Promise((resolve, reject) => {
		const sent = request(url, {
			method: 'POST',
			agent: false,
			timeout: ANSWER_MS,
			headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol },
		});
		sent.once('timeout', () => sent.destroy(new Error('it does not answer')));
		sent.once('error', reject);
		sent.once('response', (answer: { readonly statusCode?: number }) => {
			sent.destroy();
			reject(new Error(`it answers with the status ${answer.statusCode}`));
		});
		sent.once('upgrade', (_: unknown, socket: Socket, head: Buffer) => {
			// Errors after the handshake close the session.
			socket.on('error', () => undefined);
			socket.setTimeout(0);
			if (head.length > 0) socket.unshift(head);
			resolve(socket);
		});
		sent.end();
	});
}
