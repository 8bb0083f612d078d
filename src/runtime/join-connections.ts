import type { Socket } from 'node:net';

/** Joins two connections: each gets what the other sends, and its end; an error of one resets the other. */
export function joinConnections(client: Socket, server: Socket): void {
	for (const [from, to] of [
		[client, server],
		[server, client],
	] as const) {
		from.pipe(to);
		from.on('error', () => to.resetAndDestroy());
		from.once('close', () => {
			if (!from.readableEnded) to.destroy();
		});
	}
}
