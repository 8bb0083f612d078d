import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { assert } from '../../base/assert.ts';
import type { HarnessPorts } from './stream-contract-suite.ts';

/** A server on a port of this machine, and a port that was free a moment ago. */
export async function echoingPorts(): Promise<HarnessPorts> {
	const open = async (): Promise<{ readonly server: Server; readonly port: number }> => {
		const server = createServer({ allowHalfOpen: true }, (socket) => {
			socket.on('error', () => undefined);
			socket.pipe(socket);
		});
		await once(server.listen(0, '127.0.0.1'), 'listening');
		const address = server.address();
		assert(typeof address === 'object' && address !== null, 'the server listens');
		return { server, port: address.port };
	};
	const [echoing, free] = [await open(), await open()];
	free.server.close();
	return { echoes: echoing.port, closed: free.port, close: async () => void echoing.server.close() };
}
