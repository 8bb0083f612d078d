/**
 * The runtime's connection to its launcher.
 *
 * 1. When the connection is lost, it connects again at once, to the same launcher or a new one, and passes on the
 *    changes since then.
 * 2. A call without connection waits for one; a call in progress when the connection is lost rejects with
 *    RuntimeUnavailable.
 */
import { sleep } from '../../../base/clock.ts';
import { RuntimeUnavailable } from '../../contract.ts';
import { LauncherClient, type LauncherClientOptions } from './launcher-client.ts';
import type { HostSandbox, LauncherCalls } from './protocol.ts';

/** The launcher's folder, and who learns of what it lists and reports. */
export interface LauncherConnectionOptions extends Omit<LauncherClientOptions, 'onLost'> {
	/** Called with each sandbox of the launcher, once a connection is made. */
	onSandbox(sandbox: HostSandbox): void;
	/** Called with each client that is connected, before any other call. */
	onConnected?(client: Pick<LauncherClient, 'call'>): void;
	/** Receives the errors of connections that are made again. */
	onError(error: unknown): void;
}

const RECONNECT_MS = 500;

/** See the header of this file. */
export class LauncherConnection {
	readonly #options: LauncherConnectionOptions;
	#client: Promise<LauncherClient> | undefined;
	#isClosed = false;

	constructor(options: LauncherConnectionOptions) {
		this.#options = options;
	}

	/** Whether there is a connection, or one is being made. */
	get isOpen(): boolean {
		return this.#client !== undefined;
	}

	/** Whether it makes no more connections. */
	get isClosed(): boolean {
		return this.#isClosed;
	}

	/** Calls the launcher. */
	async call<Method extends keyof LauncherCalls>(
		method: Method,
		...args: Parameters<LauncherCalls[Method]>
	): Promise<Awaited<ReturnType<LauncherCalls[Method]>>> {
		const client = await this.connected();
		return await client.call(method, ...args);
	}

	/** The client, once it is connected. Rejects with RuntimeUnavailable after {@link endAttempts}. */
	connected(): Promise<LauncherClient> {
		if (this.#client) return this.#client;
		if (this.#isClosed) return Promise.reject(new RuntimeUnavailable('the runtime has been stopped'));
		const attempt = this.#connect();
		this.#client = attempt;
		attempt.catch(() => {
			if (this.#client === attempt) this.#client = undefined;
		});
		return attempt;
	}

	/** Makes no connection from now on. */
	endAttempts(): void {
		this.#isClosed = true;
	}

	/** Closes the connection, and makes no other one. */
	async close(): Promise<void> {
		this.endAttempts();
		const client = await this.#client?.catch(() => undefined);
		this.#client = undefined;
		client?.close();
	}

	async #connect(): Promise<LauncherClient> {
		const { onSandbox, onStatus, onConnected } = this.#options;
		const client = await LauncherClient.reach({ ...this.#options, onLost: () => this.#lost() });
		onConnected?.(client);
		const { sandboxes, containers } = await client.list();
		for (const sandbox of sandboxes) onSandbox(sandbox);
		for (const status of containers) onStatus(status);
		return client;
	}

	#lost(): void {
		this.#client = undefined;
		if (!this.#isClosed) void this.#reconnect();
	}

	async #reconnect(): Promise<void> {
		while (!this.#isClosed) {
			try {
				await this.connected();
				return;
			} catch (error) {
				this.#options.onError(error);
				await sleep(this.#options.clock, RECONNECT_MS);
			}
		}
	}
}
