import type { ContainerConfig } from '../../api/contract/container-config.ts';
import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import type { AttachConfig } from '../contract.ts';
import type { FakeProgram } from './fake-program.ts';

/** The clients that are attached to the main process of a container of the fake runtime. */
export interface FakeAttachments {
	attach(config: AttachConfig): Duplex;
	/** Sends output of the process to the clients. Resolves when all of them have room for more. */
	write(output: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
	/** The process has exited: closes the sessions after what was written. */
	close(): void;
}

/** What the process does by itself. */
interface ProcessActs {
	/** It has written to its standard output. */
	wrote(bytes: Uint8Array): void;
	/** Its standard input has ended, and it exits. */
	inputEnded(): void;
}

interface Client {
	readonly config: AttachConfig;
	readonly streams: Duplex;
}

/** Returns the attachments of a container, without any client yet. */
export function openAttachments(
	container: ContainerConfig,
	program: FakeProgram,
	acts: ProcessActs,
): FakeAttachments {
	const clients = new Set<Client>();
	let hasInput = container.stdin;
	const write = async (output: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> => {
		const channel = CHANNELS[container.tty ? 'stdout' : output];
		const receivers = [...clients].filter(({ config }) =>
			channel === CHANNELS.stdout ? config.stdout : config.stderr,
		);
		await Promise.all(receivers.map(({ streams }) => streams.send({ type: 'data', channel, bytes })));
	};
	const print = async (bytes: Uint8Array): Promise<void> => {
		acts.wrote(bytes);
		await write('stdout', bytes);
	};
	const endInput = (): void => {
		if (!hasInput || !container.stdinOnce) return;
		hasInput = false;
		if (program.copiesInput) acts.inputEnded();
	};
	const take = async (client: Client, message: DuplexMessage): Promise<void> => {
		const isInput = message.channel === CHANNELS.stdin && client.config.stdin && hasInput;
		if (message.type === 'end') {
			if (isInput) endInput();
		} else if (isInput && program.copiesInput) await print(message.bytes);
		else if (message.channel === CHANNELS.resize && container.tty && program.printsSizes)
			await print(message.bytes);
	};
	const serve = async (client: Client): Promise<void> => {
		for (;;) {
			const message = await client.streams.receive();
			if (!message) break;
			await take(client, message);
		}
		clients.delete(client);
		if (client.config.stdin) endInput();
	};
	return {
		attach: (config) => {
			const [caller, streams] = duplexPair();
			const client = { config, streams };
			clients.add(client);
			void serve(client);
			return caller;
		},
		write,
		close: () => {
			hasInput = false;
			for (const { streams } of clients) streams.close();
		},
	};
}
