import type { Duplex } from '../api/contract/duplex.ts';
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { MachineFacts } from '../plan/doctor/facts.ts';
import type { LocalFiles } from './cp/local-files.ts';
import type { ImageFolderFlags, LocalImages } from './images/local-images.ts';
import type { Outputs } from './print/outputs.ts';
import type { FilterDecision, ProxyRequestHead } from './proxy/proxied-request.ts';
import type { RuntimeChoice } from './runtime-name.ts';
import type { LocalAddress, LocalPort } from './streams/local-ports.ts';
import type { RawStreams } from './streams/raw-streams.ts';

/** The server that a command sends requests to. */
export interface Connection {
	readonly client: Client;
	/** The namespace of the kubeconfig's context. */
	readonly namespace: string;
	/** Whether the server was started for the command, in this process: the connection to it cannot be lost. */
	readonly isEmbedded?: boolean;
}

/** A server started for one command, in this process. */
export interface Embedded extends Connection {
	readonly isEmbedded: true;
	/** Stops the server, kills its Pods and removes its data folder. */
	stop(): Promise<void>;
}

/** The settings of a server whose needs are tried. */
export interface InspectionOptions {
	/** Undefined: the default data folder. */
	readonly dataDir: string | undefined;
	readonly port: number;
}

/** Everything that commands get from the process and the machine, so that tests can replace it. */
export interface CliContext extends Outputs {
	readonly clock: Clock;
	/** Whether standard output is a terminal and the user has not disabled colours ($NO_COLOR). */
	readonly colour: boolean;
	/** The value of an environment variable; undefined if it is not set. */
	variable(name: string): string | undefined;
	/** The text of a file. Rejects with the system's error. */
	readFile(path: string): Promise<string>;
	/** The manifests in a folder, or undefined when `path` is no folder. */
	listFolder(path: string): Promise<readonly string[] | undefined>;
	/** All of standard input. */
	readStdin(): Promise<string>;
	/** The standard streams as bytes, and the terminal. */
	readonly rawStreams: RawStreams;
	/**
	 * Calls `listener` at each signal that asks the process to end, and when standard output is lost: its reader has
	 * closed it (SIGPIPE), or the disk is full (write-error). Returns the function that removes the listener. Without a
	 * listener each of them ends the process at once.
	 */
	onInterrupt(listener: (by: Interruption) => void): () => void;
	/** The files of this machine. */
	localFiles(): Promise<LocalFiles>;
	/** Accepts connections on a port of this machine. Rejects with the system's error. */
	listen(address: LocalAddress, accept: (connection: Duplex) => void): Promise<LocalPort>;
	/**
	 * Serves the API of the server of `kubeconfig` (or the defaults of {@link connect}) on a port of this machine, with the
	 * credentials of the kubeconfig: the requests that `filter` passes, as they are. Rejects with the system's error.
	 */
	serveApi(
		kubeconfig: string | undefined,
		address: LocalAddress,
		filter: (head: ProxyRequestHead) => FilterDecision,
	): Promise<LocalPort>;
	/** Connects to the server of `kubeconfig`, else of $KUBECONFIG, else of the default data folder. */
	connect(kubeconfig: string | undefined): Promise<Connection>;
	/** Connects to the running stint server that `run` may use; resolves to undefined if there is none. */
	findRunning(
		kubeconfig: string | undefined,
		options: { readonly embeds: boolean },
	): Promise<Connection | undefined>;
	/** Tries what this machine allows. Leaves nothing behind. */
	inspectMachine(options: InspectionOptions): Promise<MachineFacts>;
	/** The images of this machine. The caller closes them. */
	openImages(folder: ImageFolderFlags): Promise<LocalImages>;
	/** Starts a server in this process, for one command. Its containers run by `runtime`. */
	startEmbedded(runtime: RuntimeChoice): Promise<Embedded>;
}

/**
 * The signal that asks a command to end; SIGPIPE if the reader of its standard output has closed it, and write-error if a
 * write to it has failed for another reason, which has been reported.
 */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | LostOutput;

/** Why standard output is lost. */
export type LostOutput = 'SIGPIPE' | 'write-error';

/** The flags that every command has. */
export interface CommonFlags {
	readonly kubeconfig?: string;
	readonly namespace?: string;
}

/** A command cannot run or failed. The message is printed to the user as it is; `exitCode` is the exit code. */
export class CommandError extends Error {
	override readonly name: string = 'CommandError';
	readonly exitCode: number;

	constructor(message: string, exitCode = 1) {
		super(message);
		this.exitCode = exitCode;
	}
}
