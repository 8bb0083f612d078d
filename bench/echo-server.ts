/**
 * A program behind a Service: it sends back each byte that it gets; a connection whose first byte is `s` gets BYTES zeros instead.
 * Prints its port.
 */
import { type AddressInfo, createServer } from 'node:net';

const BYTES = 2 ** 30;
const PIECE = Buffer.alloc(2 ** 18);

const server = createServer({ noDelay: true }, (client) => {
	client.on('error', () => {});
	client.once('data', (first: Buffer) => {
		if (first[0] !== 's'.charCodeAt(0)) {
			client.write(first);
			client.pipe(client);
			return;
		}
		let left = BYTES;
		const send = (): void => {
			while (left > 0) {
				left -= PIECE.length;
				if (!client.write(PIECE)) return;
			}
			client.end();
		};
		client.on('drain', send);
		send();
	});
});
server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => {
	process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`);
});
