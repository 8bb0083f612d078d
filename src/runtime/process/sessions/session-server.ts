import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from '../../../api/contract/duplex.ts';
import { WebSocketDuplex } from '../../../api/streams/websocket-duplex.ts';
import { ExecError } from '../../contract.ts';
import { listenAt } from '../launcher/folder-socket.ts';
import { FrameSocket } from './frame-socket.ts';
import { decodeSessionRequest, type SessionAnswer, type SessionRequest } from './session-protocol.ts';

/** A session that has begun: it runs with the client's end of the streams, until that is closed. */
export type ServeSession = (peer: Duplex) => Promise<void>;

/** The callbacks of a {@link SessionServer}. */
export interface SessionServerOptions {
	/** Begins a session. Rejects with {@link ExecError} if it cannot. */
	begin(request: SessionRequest): Promise<ServeSession>;
	onError(error: unknown): void;
}

/** The launcher's end of sessions: see session-protocol.ts. */
export class SessionServer {
	readonly #options: SessionServerOptions;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	constructor(options: SessionServerOptions) {
		this.#options = options;
		this.#server = createServer((socket) => this.#accept(socket));
	}

	/** Listens at `path`: see {@link listenAt}. */
	listen(path: string): Promise<void> {
		return listenAt(this.#server, path);
	}

	/** Stops listening, and ends all sessions. */
	close(): void {
		this.#server.close();
		for (const socket of this.#sockets) socket.destroy();
	}

	#accept(socket: Socket): void {
		this.#sockets.add(socket);
		socket.on('close', () => this.#sockets.delete(socket));
		const frames = new FrameSocket(socket);
		frames.on('error', () => {});
		frames.once('message', (bytes: Buffer) => {
			frames.pause();
			this.#serve(frames, bytes).catch((error: unknown) => {
				this.#options.onError(error);
				socket.destroy();
			});
		});
	}

	async #serve(frames: FrameSocket, bytes: Buffer): Promise<void> {
		const request = decodeSessionRequest(bytes);
		let run: ServeSession;
		try {
			run = await this.#options.begin(request);
		} catch (error) {
			answer(frames, refusalOf(error));
			frames.resume();
			return;
		}
		answer(frames, { ok: true });
		const peer = new WebSocketDuplex(frames, { protocol: 'v5.channel.k8s.io', sendsEnds: true });
		frames.resume();
		await run(peer);
	}
}

function answer(frames: FrameSocket, value: SessionAnswer): void {
	frames.send(Buffer.from(JSON.stringify(value)), () => {});
}

function refusalOf(error: unknown): SessionAnswer {
	const message = error instanceof Error ? error.message : String(error);
	return error instanceof ExecError ? { ok: false, reason: error.reason, message } : { ok: false, message };
}
