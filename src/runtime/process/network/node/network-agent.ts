/** The server's end of the network agent: the process that opens sockets in the network of the node. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket as Datagrams } from 'node:dgram';
import { type Server, Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SocketAddress } from '../../../pod-sockets.ts';
import {
	type AgentReady,
	type AgentRequest,
	agentAnswerOf,
	agentReadyOf,
	type TakenNote,
} from './agent-protocol.ts';

/** What {@link NetworkAgent.start} needs. */
export interface NetworkAgentOptions {
	/** The shim's executable file. */
	readonly shim: string;
	/** The path of the network namespace. */
	readonly node: string;
	/** The addresses of Pods and Services: connections to all others are for the socket `egress`. */
	readonly inside: readonly string[];
	/** Called when the process has ended, by itself or not. */
	onEnd(): void;
}

type Handle = Server | Socket | Datagrams;

interface Asked {
	resolve(handle: Handle): void;
	reject(error: Error): void;
}

const NOWHERE: SocketAddress = { host: '', port: 0 };

/** How much of what the process prints before it is ready an error quotes. */
const MOST_QUOTED = 500;

/** See the header of this file. */
export class NetworkAgent {
	readonly #child: ChildProcess;
	readonly #asked = new Map<number, Asked>();
	#last = 0;
	#hasEnded = false;
	#withoutDatagrams: string | undefined;

	private constructor(child: ChildProcess, { onEnd }: NetworkAgentOptions) {
		this.#child = child;
		child.on('message', (message, handle) => this.#take(message, handle));
		child.once('exit', () => {
			this.#hasEnded = true;
			for (const { reject } of this.#asked.values()) reject(ended());
			this.#asked.clear();
			onEnd();
		});
	}

	/** Starts the process; resolves once it takes requests. Rejects with an Error that says why it cannot. */
	static async start(options: NetworkAgentOptions): Promise<NetworkAgent> {
		const main = fileURLToPath(new URL(`./network-agent-main${extname(import.meta.url)}`, import.meta.url));
		const flags = ['--max-semi-space-size=1', '--optimize-for-size', '--no-warnings'];
		const child = spawn(
			options.shim,
			['node', options.node, ...options.inside, '--', process.execPath, ...flags, main],
			{
				stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
				env: { MALLOC_ARENA_MAX: '1' },
			},
		);
		const started = Promise.withResolvers<AgentReady>();
		let said = '';
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			said = `${said}${text}`.slice(0, MOST_QUOTED);
		});
		// Also later: a message to a process that has just ended cannot be sent.
		child.on('error', started.reject);
		child.once('exit', (code, signal) =>
			started.reject(new Error(`the network agent ended (${said.trim() || (code ?? signal)})`)),
		);
		child.once('message', (message) => {
			const ready = agentReadyOf(message);
			if (ready) started.resolve(ready);
		});
		const agent = new NetworkAgent(child, options);
		agent.#withoutDatagrams = (await started.promise).withoutDatagrams;
		// It must not keep this process from exiting.
		child.unref();
		child.channel?.unref();
		if (child.stderr instanceof Socket) child.stderr.unref();
		return agent;
	}

	/** Why datagrams of Pods do not reach other machines; undefined: they do. */
	get withoutDatagrams(): string | undefined {
		return this.#withoutDatagrams;
	}

	/** A socket that listens, or one that is bound or connected. Rejects with the system's error. */
	async open(kind: AgentRequest['kind'], { host, port } = NOWHERE): Promise<Handle> {
		if (this.#hasEnded) throw ended();
		this.#last += 1;
		const request: AgentRequest = { id: this.#last, kind, host, port };
		return await new Promise((resolve, reject) => {
			this.#asked.set(request.id, { resolve, reject });
			this.#child.send(request, (error) => {
				if (error) reject(error);
			});
		});
	}

	/** Ends the process. */
	stop(): void {
		if (this.#child.connected) this.#child.disconnect();
	}

	#take(message: unknown, handle: Handle | undefined): void {
		const answer = agentAnswerOf(message);
		if (!answer) return;
		const { id, error } = answer;
		const asked = this.#asked.get(id);
		this.#asked.delete(id);
		const taken: TakenNote = { taken: id };
		if (!error) this.#child.send(taken);
		if (error) asked?.reject(Object.assign(new Error(error.message), { code: error.code }));
		else if (handle) asked?.resolve(handle);
		else asked?.reject(new Error('the network agent has closed the socket'));
	}
}

function ended(): Error {
	return Object.assign(new Error('the network agent has ended'), { code: 'ECONNABORTED' });
}
