import type { Server, Socket } from 'node:net';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { LocalAddress, LocalPort } from '../../cli/streams/local-ports.ts';

/** Implements {@link CliContext.listen}. */
export async function listenLocally(
	{ host, port }: LocalAddress,
	accept: (connection: Duplex) => void,
): Promise<LocalPort> {
	const { createServer } = await import('node:net');
	const { socketDuplex } = await import('../../runtime/host-port.ts');
	const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) =>
		accept(socketDuplex(socket)),
	);
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen({ host, port }, () => {
			server.off('error', reject);
			const address = server.address();
			const actual = typeof address === 'object' && address ? address.port : port;
			resolve({ port: actual, close: () => void server.close() });
		});
	});
}
