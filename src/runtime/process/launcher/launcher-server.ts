import { createServer, type Server, type Socket } from 'node:net';
import { JsonLines } from '../../../base/json/json-lines.ts';
import type { RuntimeContainer } from '../../contract.ts';
import { listenAt } from './folder-socket.ts';
import {
	encodeError,
	type FromLauncher,
	type LauncherCall,
	type LauncherCalls,
	PROTOCOL,
	perform,
} from './protocol.ts';

/** A client with more unread output is disconnected. It connects again and reads the present state by the lists. */
const UNREAD_LIMIT_BYTES = 64 << 20;

/** The target and callbacks of a {@link LauncherServer}. */
export interface LauncherServerOptions {
	/** Performs the calls. */
	readonly target: LauncherCalls;
	readonly pid: number;
	/** Called when the last client has disconnected. */
	onAlone(): void;
	/** Called after the result of a `killAll` was written to the client. */
	onKilled(): void;
	/** Receives errors of the protocol, after which the client is disconnected. */
	onError(error: unknown): void;
}

/** The launcher's end of the socket: decodes calls, passes them to the target, writes results and exits. */
export class LauncherServer {
	readonly #options: LauncherServerOptions;
	readonly #server: Server;
	readonly #clients = new Set<Socket>();

	constructor(options: LauncherServerOptions) {
		this.#options = options;
		this.#server = createServer((socket) => this.#accept(socket));
	}

	/** Listens at `path`: see {@link listenAt}. */
	listen(path: string): Promise<void> {
		return listenAt(this.#server, path);
	}

	/** True if no client is connected. */
	get isAlone(): boolean {
		return this.#clients.size === 0;
	}

	/** Sends the exit of a container to all clients. */
	broadcastExit(exited: RuntimeContainer): void {
		for (const client of this.#clients) this.#write(client, { exited });
	}

	/** Stops listening. Connected clients stay connected. */
	close(): void {
		this.#server.close();
	}

	/** Closes the connections of all clients after their pending output was sent. */
	disconnectClients(): void {
		for (const client of this.#clients) client.end();
	}

	#accept(socket: Socket): void {
		this.#clients.add(socket);
		socket.write(`${JSON.stringify({ hello: { protocol: PROTOCOL, pid: this.#options.pid } })}\n`);
		const lines = new JsonLines();
		socket.on('data', (chunk: Buffer) => this.#read(socket, lines, chunk));
		// The close event follows each error.
		socket.on('error', () => {});
		socket.on('close', () => {
			this.#clients.delete(socket);
			if (this.isAlone) this.#options.onAlone();
		});
	}

	#read(socket: Socket, lines: JsonLines, chunk: Buffer): void {
		try {
			// Only this user's own stint can write here, and it speaks the same protocol: see Hello.
			for (const call of lines.push(chunk) as readonly LauncherCall[]) void this.#perform(socket, call);
		} catch (error) {
			this.#options.onError(error);
			socket.destroy();
		}
	}

	async #perform(socket: Socket, call: LauncherCall): Promise<void> {
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
