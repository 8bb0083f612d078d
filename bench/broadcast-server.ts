/**
 * A minimal server with watches: it keeps the response to a GET open, and writes the body of each POST to all
 * open responses. Its times are the cost of TLS and HTTP for that many clients on this machine, the limit with
 * which the watches of stint are compared. Argument: the folder with the certificate. Prints its port.
 */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';
const watching = new Set<ServerResponse>();

const server = createServer(
	{
		cert: readFileSync(join(folder, 'server.crt')),
		key: readFileSync(join(folder, 'server.key')),
		noDelay: true,
	},
	async (request, response) => {
		if (request.method === 'GET') {
			watching.add(response);
			response.once('close', () => watching.delete(response));
			response.writeHead(200);
			response.flushHeaders();
			return;
		}
		const pieces: Uint8Array[] = [];
		for await (const piece of request) pieces.push(piece);
		const line = Buffer.concat(pieces);
		response.writeHead(201).end(line);
		setImmediate(() => {
			for (const each of watching) each.write(line);
		});
	},
);
server.listen(0, '127.0.0.1', () => {
	const address = server.address();
	process.stdout.write(`port ${typeof address === 'object' ? address?.port : ''}\n`);
});
