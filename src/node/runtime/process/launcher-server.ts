import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { JsonLines } from '../../../client/json-lines.ts';
import type { ContainerStatus } from '../runtime.ts';
import {
	type Call,
	encodeError,
	type FromLauncher,
	type LauncherCalls,
	PROTOCOL,
	perform,
} from './protocol.ts';

/** A client that lets this much pile up unread is cut off: it will connect again and ask for the state. */
const UNREAD_LIMIT_BYTES = 64 << 20;

/** What a {@link LauncherServer} serves. */
export interface LauncherServerOptions {
	readonly target: LauncherCalls;
	readonly pid: number;
	/** Called when the last client has gone. */
	onAlone(): void;
	/** Called when a client had everything killed, once it has been answered. */
	onKilled(): void;
	onError(error: unknown): void;
}

/** The launcher's end of the socket: reads calls, has them performed, writes the answers and the exits. */
export class LauncherServer {
	readonly #options: LauncherServerOptions;
	readonly #server: Server;
	readonly #clients = new Set<Socket>();

	constructor(options: LauncherServerOptions) {
		this.#options = options;
		this.#server = createServer((socket) => this.#accept(socket));
	}

	/**
	 * Begins to listen at `path`, in the place of any socket that is there. When a server closes, the system's
	 * library removes what is at the path that it has bound, whosever that is by then; so it binds another one,
	 * and the socket is moved. The one at `path` is the caller's to remove.
	 */
	async listen(path: string): Promise<void> {
		const bound = `${path}.${this.#options.pid}`;
		rmSync(bound, { force: true });
		await new Promise<void>((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen(bound, resolve);
		});
		chmodSync(bound, 0o600);
		renameSync(bound, path);
	}

	/** True when no client is connected. */
	get isAlone(): boolean {
		return this.#clients.size === 0;
	}

	/** Tells every client that a container has ended. */
	tell(exited: ContainerStatus): void {
		for (const client of this.#clients) this.#write(client, { exited });
	}

	/** Listens no more. */
	close(): void {
		this.#server.close();
	}

	/** Lets go of the clients, once they have what was written to them. */
	dismiss(): void {
		for (const client of this.#clients) client.end();
	}

	#accept(socket: Socket): void {
		this.#clients.add(socket);
		socket.write(`${JSON.stringify({ hello: { protocol: PROTOCOL, pid: this.#options.pid } })}\n`);
		const lines = new JsonLines();
		socket.on('data', (chunk: Buffer) => this.#read(socket, lines, chunk));
		// A connection that breaks closes as well.
		socket.on('error', () => {});
		socket.on('close', () => {
			this.#clients.delete(socket);
			if (this.isAlone) this.#options.onAlone();
		});
	}

	#read(socket: Socket, lines: JsonLines, chunk: Buffer): void {
		try {
			// Only this user's own stint can write here, and it speaks the same protocol: see Hello.
			for (const call of lines.push(chunk) as readonly Call[]) void this.#perform(socket, call);
		} catch (error) {
			this.#options.onError(error);
			socket.destroy();
		}
	}

	async #perform(socket: Socket, call: Call): Promise<void> {
		const { id } = call;
		try {
			this.#write(socket, { id, result: await perform(this.#options.target, call) });
			if (call.method === 'killAll') this.#options.onKilled();
		} catch (error) {
			this.#write(socket, { id, error: encodeError(error) });
		}
	}

	#write(socket: Socket, message: FromLauncher): void {
		if (socket.destroyed) return;
		socket.write(`${JSON.stringify(message)}\n`);
		if (socket.writableLength > UNREAD_LIMIT_BYTES) socket.destroy();
	}
}
