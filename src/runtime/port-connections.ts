import type { Duplex } from '../api/contract/duplex.ts';
import { dialHostPort } from './host-port.ts';

/** The connections to the ports of sandboxes that have the network of the host: each ends at the latest with its sandbox. */
export class PortConnections {
	readonly #open = new Map<string, Set<Duplex>>();

	/** Connects to a port for a sandbox that is ready. Rejects with PortForwardError. */
	async dial(sandboxId: string, port: number): Promise<Duplex> {
		const connection = await dialHostPort(port);
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
