import type { Duplex, DuplexMessage } from '../../api/contract/duplex.ts';
import { ApiError, badRequest } from '../../api/errors/api-error.ts';
import type { ConnectOptions } from '../../api/schema/openapi.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { assert } from '../../base/assert.ts';
import { quote } from '../../base/quote.ts';
import type { ServerContext } from '../context.ts';
import type { Query } from '../query.ts';
import type { ResourceRequest } from '../request.ts';
import { podTarget } from './stream-target.ts';

/** The kind of the options of `pods/<name>/portforward`, for discovery and OpenAPI. */
export const PORT_FORWARD_OPTIONS: ConnectOptions = {
	group: '',
	version: 'v1',
	kind: 'PodPortForwardOptions',
	parameters: { ports: 'integer' },
};

/** Opens connections to the ports of a Pod, as many as its caller wants. */
export interface PortOpener {
	/** Connects to a port; see NodeApi.portForward. Rejects with an ApiError that has the message for the client. */
	open(port: number): Promise<Duplex>;
}

/**
 * `pods/<name>/portforward`, for clients that name the port of each connection. Throws NotFound, BadRequest, or
 * ServiceUnavailable if the node agent is not connected.
 */
export function podPorts(server: ServerContext, request: ResourceRequest): PortOpener {
	const target = podTarget(request);
	const node = target.node(server);
	const { namespace, name } = request;
	const { uid = '' } = target.pod.metadata;
	return {
		open: async (port) => {
			try {
				return await node.portForward({ namespace, pod: name, port });
			} catch (error) {
				if (error instanceof ApiError)
					throw badRequest(forwardingError({ port, pod: name, uid }, error.message));
				throw error;
			}
		},
	};
}

/** Upstream's message (portForward in the kubelet's streaming/portforward/httpstream.go). */
function forwardingError(
	{ port, pod, uid }: { readonly port: number; readonly pod: string; readonly uid: string },
	why: string,
): string {
	return `error forwarding port ${port} to pod ${pod}, uid ${uid}: ${why}`;
}

/**
 * The same for clients that name all ports in the query and use one connection to each: channel 2i carries the bytes of
 * port i, channel 2i + 1 the text of its error. The session ends when all connections have.
 */
export function podPortForward(server: ServerContext, request: ResourceRequest): () => Promise<Duplex> {
	const opener = podPorts(server, request);
	const ports = portsOf(request.call.query);
	return async () => {
		const [caller, own] = duplexPair();
		void forwardAll(own, opener, ports);
		return caller;
	};
}

/** The channels are numbered by one byte. */
const MAX_PORTS = 127;

/** The ports in a query. Throws BadRequest with upstream's messages (NewV4Options in streaming/portforward). */
export function portsOf(query: Query): readonly number[] {
	const texts = query.texts('ports').flatMap((text) => text.split(','));
	if (texts.length === 0) throw badRequest('query parameter "port" is required');
	if (texts.length > MAX_PORTS) throw badRequest(`at most ${MAX_PORTS} ports can be forwarded`);
	return texts.map((text) => {
		if (text === '') throw badRequest('query parameter "port" cannot be empty');
		return forwardedPortOf(text);
	});
}

/** The port in a text. Throws BadRequest with upstream's message. */
export function forwardedPortOf(text: string): number {
	const unparsed = (problem: string): ApiError =>
		badRequest(
			`unable to parse ${quote(text)} as a port: strconv.ParseUint: parsing ${quote(text)}: ${problem}`,
		);
	if (!/^\d+$/.test(text)) throw unparsed('invalid syntax');
	const port = Number(text);
	if (port > 65_535) throw unparsed('value out of range');
	if (port === 0) throw badRequest(`port ${quote(text)} must be > 0`);
	return port;
}

async function forwardAll(session: Duplex, opener: PortOpener, ports: readonly number[]): Promise<void> {
	const connections = new Map<number, Duplex>();
	const opened = ports.map(async (port, index) => {
		const connection = await opener.open(port).catch((error: unknown) => failureText(error));
		if (typeof connection === 'string') await sendError(session, index, connection);
		else {
			connections.set(index, connection);
			void session.closed.then((reason) => connection.close(reason));
		}
		return connection;
	});
	// Input waits until all ports are connected, or it could not be passed on in order.
	void Promise.all(opened).then(() => distribute(session, connections));
	await Promise.all(
		opened.map(async (opening, index) => {
			const connection = await opening;
			if (typeof connection !== 'string') await collect(connection, session, index);
			await session.send({ type: 'end', channel: 2 * index });
		}),
	);
	session.close();
}

function failureText(error: unknown): string {
	// The node agent logs other errors than those for the client.
	assert(error instanceof ApiError, String(error));
	return error.message;
}

async function sendError(session: Duplex, index: number, text: string): Promise<void> {
	await session.send({ type: 'data', channel: 2 * index + 1, bytes: new TextEncoder().encode(text) });
}

/** Passes the input of the client on to the connections. */
async function distribute(session: Duplex, connections: ReadonlyMap<number, Duplex>): Promise<void> {
	for (;;) {
		const message = await session.receive();
		if (!message) return;
		const { channel } = message;
		if (channel % 2 === 0) await connections.get(channel / 2)?.send({ ...message, channel: 0 });
	}
}

/** Passes what a connection receives on to the client, until its end. */
async function collect(connection: Duplex, session: Duplex, index: number): Promise<void> {
	for (;;) {
		const message: DuplexMessage | undefined = await connection.receive();
		if (message?.type !== 'data') return;
		if (!(await session.send({ ...message, channel: 2 * index }))) return;
	}
}
