/**
 * The main program of the network agent: a small process in the network of the node, which opens sockets there for the server, its
 * parent. It handles no byte of a connection, and ends with the server; and with the process that forwards datagrams
 * (native/shim/datagrams.c), so that the server starts both again.
 */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { SystemClock } from '../../../../base/clock.ts';
import { codeOf } from '../../../../base/files/system-error.ts';
import { messageOf } from '../../../../base/message-of.ts';
import { kernelRefusal } from '../kernel-refusal.ts';
import {
	type AgentAnswer,
	type AgentReady,
	type AgentRequest,
	agentRequestOf,
	takenIdOf,
} from './agent-protocol.ts';

/** How long the server may take to say that it has a socket. */
const TAKEN_MS = 1000;

const clock = new SystemClock();
/** The request whose answer was sent with a socket, until the server has taken it. */
let sent: { readonly id: number; settle(isTaken: boolean): void } | undefined;
/** The answers with a socket, one after the other. */
let sending: Promise<void> = Promise.resolve();
const connecting = new Set<Socket>();

// Then nothing keeps this process.
process.on('disconnect', () => {
	for (const socket of connecting) socket.destroy();
});
// The other end is that of the process that forwards datagrams.
process.stdin.on('end', () => process.disconnect?.()).resume();
process.stdin.unref();
process.on('message', (message) => {
	const request = agentRequestOf(message);
	if (request) answer(request);
	else if (takenIdOf(message) === sent?.id) sent?.settle(true);
});
const { STINT_DATAGRAMS: withoutDatagrams = '' } = process.env;
const ready: AgentReady = {
	ready: true,
	...(withoutDatagrams !== '' && { withoutDatagrams: kernelRefusal(withoutDatagrams) }),
};
process.send?.(ready);

function answer(request: AgentRequest): void {
	if (request.kind === 'connect') connectTo(request);
	else
		sending = sending.then(async () => {
			try {
				await (request.kind === 'bind' ? bind(request) : listen(request, placeOf(request)));
			} catch (error) {
				refuse(request, error);
			}
		});
}

function refuse({ id }: AgentRequest, error: unknown): void {
	const refusal: AgentAnswer = { id, error: { message: messageOf(error), code: codeOf(error) } };
	process.send?.(refusal);
}

function connectTo(request: AgentRequest): void {
	const { host, port } = request;
	const socket = connect({ host, port, allowHalfOpen: true });
	connecting.add(socket);
	socket.once('close', () => connecting.delete(socket));
	// Nothing is read here: it would be lost to the server.
	socket.pause();
	socket.once('error', (error) => refuse(request, error));
	socket.once('connect', () => {
		connecting.delete(socket);
		socket.removeAllListeners('error').on('error', () => {});
		sending = sending.then(() => send(request, socket));
	});
}

/** Listens, and passes the socket on in the same turn of the event loop: no connection is accepted here. */
async function listen(request: AgentRequest, place: Place): Promise<void> {
	const server = createServer((client) => client.destroy());
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(place, () => {
			void send(request, server).then(resolve);
			server.close();
		});
	});
}

type Place = Pick<ListenOptions, 'host' | 'port'> | { readonly fd: number };

/** Where to listen. The shim has made the socket for egress before this program, and says why if it could not. */
function placeOf({ kind, host, port }: AgentRequest): Place {
	if (kind !== 'egress') return { host, port };
	const { STINT_EGRESS: found = '' } = process.env;
	if (/^\d+$/.test(found)) return { fd: Number(found) };
	throw new Error(kernelRefusal(found));
}

async function bind(request: AgentRequest): Promise<void> {
	const socket = createSocket('udp4');
	await new Promise<void>((resolve, reject) => {
		socket.once('error', reject);
		socket.bind({ address: request.host, port: request.port }, () => {
			void send(request, socket).then(resolve);
			socket.close();
		});
	});
}

/** Resolves once the server has it, or was told that it could not take it. */
async function send(request: AgentRequest, handle: Server | Socket | Datagrams): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<boolean>();
	const { id } = request;
	sent = { id, settle: resolve };
	const answer: AgentAnswer = { id };
	process.send?.(answer, handle);
	const timer = clock.setTimer(TAKEN_MS, () => resolve(false));
	if (!(await promise))
		refuse(request, new Error('the server has taken no socket: it may have too many files open'));
	timer.cancel();
}
