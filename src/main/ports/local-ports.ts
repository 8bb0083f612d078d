import type { Server, Socket } from 'node:net';
import type { Duplex } from '../../api/contract/duplex.ts';
import type { LocalAddress, LocalPort } from '../../cli/streams/local-ports.ts';

/** Implements {@link CliContext.listen}. */
export async function listenLocally(
	address: LocalAddress,
	accept: (connection: Duplex) => void,
): Promise<LocalPort> {
	const { createServer } = await import('node:net');
	const { socketDuplex } = await import('../../runtime/host-port.ts');
	const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) =>
		accept(socketDuplex(socket)),
	);
	return { port: await listenOn(server, address), close: () => void server.close() };
}

/** Opens the port, of which it resolves to the number. Rejects with the system's error. */
export function listenOn(server: Server, { host, port }: LocalAddress): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen({ host, port }, () => {
			server.off('error', reject);
			const address = server.address();
			resolve(typeof address === 'object' && address ? address.port : port);
		});
	});
}
