import { createServer, type RequestListener, type Server } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { NodeApi } from '../../api/contract/node-api.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { streamOf } from '../proxy/duplex-stream.ts';
import { ECHO_NODE } from './echo-node.ts';
import { testCredentials } from './https-test-client.ts';

/** A node agent with Pods that serve HTTP. */
export interface WebNode extends NodeApi {
	/** The server of all Pods, for its events. */
	readonly web: Server;
	/** The connections that were opened and are not closed, as `pod:port`. */
	readonly open: ReadonlySet<string>;
}

/**
 * A node agent whose Pods serve HTTP on their ports, and HTTPS on port 443, by `listener`. Nothing listens on port 81, and
 * port 82 belongs to `raw`, if it is given.
 */
export async function webNode(
	listener: RequestListener,
	raw: (connection: Duplex) => void = () => undefined,
): Promise<WebNode> {
	const web = createServer(listener);
	const open = new Set<string>();
	const { keyPem: key, certificatePem: cert } = await testCredentials();
	return {
		...ECHO_NODE,
		web,
		open,
		portForward: async ({ pod, port }) => {
			if (port === 81) throw badRequest('dial tcp4 127.0.0.1:81: connect: connection refused, dial tcp6 ...');
			const [caller, own] = duplexPair();
			const name = `${pod}:${port}`;
			open.add(name);
			void own.closed.then(() => open.delete(name));
			if (port === 82) raw(own);
			else {
				const stream = streamOf(own);
				stream.on('error', () => undefined);
				web.emit('connection', port === 443 ? new TLSSocket(stream, { isServer: true, key, cert }) : stream);
			}
			return caller;
		},
	};
}
