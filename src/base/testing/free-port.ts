import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A TCP port on which nothing listens now, at any IPv4 address of this machine. */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '0.0.0.0');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	await once(server, 'close');
	assert.ok(typeof address === 'object' && address);
	return address.port;
}
