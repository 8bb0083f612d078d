import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { Outputs } from './outputs.ts';

/** A server that a command talks to. */
export interface Connection {
	readonly client: Client;
	/** The namespace of the kubeconfig's context. */
	readonly namespace: string;
}

/** A server started for one command, in this process. */
export interface Embedded extends Connection {
	/** Ends it with all its Pods and leaves nothing behind. */
	stop(): Promise<void>;
}

/** What the commands have of the world around them. */
export interface CliContext extends Outputs {
	readonly clock: Clock;
	/** Whether colours are welcome. */
	readonly colour: boolean;
	/** The text of a file. Rejects with the system's error. */
	readFile(path: string): Promise<string>;
	/** The manifests in a folder, or undefined when `path` is no folder. */
	listFolder(path: string): Promise<readonly string[] | undefined>;
	/** All of standard input. */
	readStdin(): Promise<string>;
	/** Calls `listener` once something arrives on standard input that is no terminal; leaves it unread. */
	onInput(listener: () => void): void;
	/**
	 * Calls `listener` at each signal that asks to end, and when nobody reads standard output any more;
	 * returns the way to stop. While nobody listens, each of them ends the process at once.
	 */
	onInterrupt(listener: (by: Interruption) => void): () => void;
	/** The server that the flags, the environment or the default data folder lead to. */
	connect(kubeconfig: string | undefined): Promise<Connection>;
	/** The running stint server, if there is one that `run` may use. */
	findRunning(kubeconfig: string | undefined): Promise<Connection | undefined>;
	/** Starts a server in this process, for one command. */
	startEmbedded(): Promise<Embedded>;
}

/** What asks a command to end. */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';

/** The flags that every command has. */
export interface CommonFlags {
	readonly kubeconfig?: string;
	readonly namespace?: string;
}

/** A command cannot be done; the message is for the user, as it is. */
export class CommandError extends Error {
	override readonly name: string = 'CommandError';
	readonly exitCode: number;

	constructor(message: string, exitCode = 1) {
		super(message);
		this.exitCode = exitCode;
	}
}
