import type { Duplex } from '../api/contract/duplex.ts';
import { dialHostPort } from './host-port.ts';

/** The connections to the ports of sandboxes: each ends at the latest with its sandbox. */
export class PortConnections {
	readonly #open = new Map<string, Set<Duplex>>();

	/** Connects to a port for a sandbox that is ready and has the network of the host. Rejects with PortForwardError. */
	async dial(sandboxId: string, port: number): Promise<Duplex> {
		return this.keep(sandboxId, await dialHostPort(port));
	}

	/** Closes a connection with its sandbox, however it was made; returns it. */
	keep(sandboxId: string, connection: Duplex): Duplex {
		const connections = this.#open.get(sandboxId) ?? new Set();
		this.#open.set(sandboxId, connections.add(connection));
		void connection.closed.then(() => {
			connections.delete(connection);
			if (connections.size === 0 && this.#open.get(sandboxId) === connections) this.#open.delete(sandboxId);
		});
		return connection;
	}

	/** Closes those of a sandbox that ends. */
	close(sandboxId: string): void {
		for (const connection of this.#open.get(sandboxId) ?? []) connection.close();
	}
}
