import type { Socket } from 'node:net';
import type { Duplex, DuplexClose, DuplexMessage } from '../api/contract/duplex.ts';
import { ENDED } from '../api/contract/duplex.ts';
import { Inbox } from '../api/streams/inbox.ts';
import { codeOf } from '../base/files/system-error.ts';
import { messageOf } from '../base/message-of.ts';
import { PortForwardError } from './contract.ts';

/** The addresses that are tried, in this order, with the names that Go has for their networks. */
const ADDRESSES = [
	{ host: '127.0.0.1', network: 'tcp4', text: '127.0.0.1' },
	{ host: '::1', network: 'tcp6', text: '[::1]' },
] as const;

/** How many bytes may wait in each direction. */
const PORT_WINDOW_BYTES = 64 * 1024;

/**
 * Connects to a port of this machine's loopback address: port-forward for runtimes whose sandboxes share the network of
 * the host. See Runtime.portForward. Rejects with a PortForwardError, whose texts are those of Go's net.Dial.
 */
export async function dialHostPort(port: number): Promise<Duplex> {
	const problems: unknown[] = [];
	for (const { host } of ADDRESSES) {
		try {
			return socketDuplex(await connected(host, port));
		} catch (error) {
			problems.push(error);
		}
	}
	throw new PortForwardError(dialProblem(port, problems));
}

/** Why neither 127.0.0.1 nor ::1 could be connected to, with the errors in this order, as Go's net.Dial says it. */
export function dialProblem(port: number, errors: readonly unknown[]): string {
	return ADDRESSES.map(
		({ network, text }, index) => `dial ${network} ${text}:${port}: connect: ${textOf(errors[index])}`,
	).join(', ');
}

async function connected(host: string, port: number): Promise<Socket> {
	// Loaded at the first connection: a server without port-forward does not need it here.
	const { connect } = await import('node:net');
	return new Promise((resolve, reject) => {
		const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
		socket.once('error', reject);
		socket.once('connect', () => {
			socket.off('error', reject);
			resolve(socket);
		});
	});
}

const TEXTS: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'connection refused',
	ECONNRESET: 'connection reset by peer',
	ETIMEDOUT: 'connection timed out',
	EADDRNOTAVAIL: 'cannot assign requested address',
	EAFNOSUPPORT: 'address family not supported by protocol',
	ENETUNREACH: 'network is unreachable',
};

function textOf(error: unknown): string {
	return TEXTS[codeOf(error)] ?? messageOf(error);
}

/** The bytes of a connection, which must allow half-open ones, as channel 0. Each direction ends by itself. */
export function socketDuplex(socket: Socket): Duplex {
	const closed = Promise.withResolvers<DuplexClose>();
	const inbox = new Inbox(PORT_WINDOW_BYTES, (hasRoom) => void (hasRoom ? socket.resume() : socket.pause()));
	let failure: DuplexClose = ENDED;
	let isOver = false;
	let hasEnded = false;
	const end = (reason: DuplexClose): void => {
		isOver = true;
		inbox.finish();
		closed.resolve(reason);
	};
	socket.on('data', (bytes: Buffer) => void inbox.put({ type: 'data', channel: 0, bytes }));
	socket.on('end', () => {
		void inbox.put({ type: 'end', channel: 0 });
		// Both directions are over, and nothing else would close the connection.
		if (hasEnded) socket.destroySoon();
	});
	socket.on('error', (error) => {
		failure = { type: 'failed', message: textOf(error) };
	});
	socket.on('close', () => end(failure));
	return {
		receive: () => inbox.take(),
		send: async (message: DuplexMessage) => {
			if (isOver) return false;
			if (hasEnded || message.channel !== 0) return true;
			if (message.type === 'end') {
				hasEnded = true;
				socket.end();
				return true;
			}
			if (socket.write(message.bytes)) return true;
			await drained(socket);
			return !isOver;
		},
		close: (reason = ENDED) => {
			inbox.discard();
			if (isOver) return;
			// What was sent before a regular end still arrives; the peer sees a reset after a failure.
			if (reason.type === 'ended') socket.destroySoon();
			else socket.resetAndDestroy();
			end(reason);
		},
		closed: closed.promise,
	};
}

function drained(socket: Socket): Promise<void> {
	return new Promise((resolve) => {
		const done = (): void => {
			socket.off('drain', done).off('close', done);
			resolve();
		};
		socket.on('drain', done).on('close', done);
	});
}
