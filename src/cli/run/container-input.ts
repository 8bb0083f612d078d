import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { messageOf } from '../../base/message-of.ts';
import { pathOf } from '../../client/client.ts';
import type { CliContext, Connection } from '../context.ts';
import { joinSession } from '../streams/join-session.ts';
import { exitCodeOfSession } from '../streams/session-exit.ts';
import { ATTACH_NOTICES, inputOf, streamQuery } from '../streams/stream-flags.ts';
import { KeptInput } from './kept-input.ts';

/** What a {@link ContainerInput} needs. */
export interface ContainerInputOptions {
	readonly rawStreams: CliContext['rawStreams'];
	readonly connection: Connection;
	/** Whether the containers have a terminal. */
	readonly tty: boolean;
	/** Whether the notices before a session are left out. */
	readonly quiet: boolean;
	readonly report: (text: string) => void;
	/** Closes all sessions. */
	readonly signal: AbortSignal;
}

/**
 * Connects the containers of `run -i` with standard input, by `pods/attach`.
 *
 * 1. Without a terminal only the input goes through the session, and the output is that of the log: a session has only
 *    the output since its start, so that of a program that ends soon would be missing, as it is with kubectl.
 * 2. With a terminal the output goes through it too: the log has whole lines, and a prompt is none.
 * 3. The first container that is reached receives the input, and every later one (a retry, another Pod) an empty one,
 *    with a warning: its program did not get what it was run with. They would wait for ever without: the input of a
 *    container with `stdinOnce` ends with its first session.
 * 4. A terminal is connected to every container, and a message says from the second on that it is another one.
 */
export class ContainerInput {
	readonly #options: ContainerInputOptions;
	readonly #input: KeptInput;
	/** The Pod that receives the input or that had the terminal last. */
	#receiver: string | undefined;

	constructor(options: ContainerInputOptions) {
		this.#options = options;
		this.#input = new KeptInput((signal) => options.rawStreams.input(signal));
	}

	/**
	 * Connects to a container that runs. Resolves to true once the session has ended that has printed its output, and to
	 * false if the log has to be printed. Never rejects.
	 */
	async connect(pod: Pod, container: string): Promise<boolean> {
		if (this.#options.tty) return this.#attempt(pod, () => this.#attach(pod, container));
		void this.#attempt(pod, () => this.#send(pod, container));
		return false;
	}

	async #attach(pod: Pod, container: string): Promise<void> {
		const { rawStreams, quiet, report } = this.#options;
		const notify = (text: string): void => {
			if (!quiet) report(text);
		};
		const input = inputOf({ rawStreams }, { stdin: true, tty: true }, notify);
		for (const text of ATTACH_NOTICES) notify(text);
		const session = await this.#open(pod, { container, ...streamQuery(input) });
		const name = nameOf(pod);
		if (this.#receiver !== undefined)
			report(
				`the session with ${this.#receiver} has ended: the terminal is that of a new container of ${name}`,
			);
		this.#receiver = name;
		exitCodeOfSession(await joinSession(session, rawStreams, { ...input, redraws: true }));
	}

	async #send(pod: Pod, container: string): Promise<void> {
		const earlier = this.#receiver;
		this.#receiver ??= nameOf(pod);
		try {
			await this.#deliver(pod, container, earlier);
		} catch (error) {
			// The container has received nothing, so the next one gets the input.
			const isRefused = HAS_ENDED.test(messageOf(error));
			if (earlier === undefined && isRefused && this.#input.isWhole) this.#receiver = undefined;
			throw error;
		}
	}

	/** Sends the input, or none if the Pod `earlier` has received it. */
	async #deliver(pod: Pod, container: string, earlier: string | undefined): Promise<void> {
		const { rawStreams, report } = this.#options;
		const session = await this.#open(pod, { container, stdin: 'true' });
		const stdin = earlier === undefined;
		if (!stdin) {
			report(`warning: a container of ${nameOf(pod)} gets an empty input: ${earlier} has received it`);
			await session.send({ type: 'end', channel: CHANNELS.stdin });
		}
		const streams = { ...rawStreams, input: (signal: AbortSignal) => this.#input.all(signal) };
		exitCodeOfSession(await joinSession(session, streams, { stdin, tty: false }));
	}

	#open({ metadata }: Pod, query: Readonly<Record<string, string>>): Promise<Duplex> {
		const { connection, signal } = this.#options;
		const path = `${pathOf(pods, metadata.namespace)}/${metadata.name}/attach`;
		return connection.client.transport.duplex({ method: 'GET', path, query, signal });
	}

	/** Whether the session has ended well. Reports why not, with kubectl's text. */
	async #attempt(pod: Pod, act: () => Promise<void>): Promise<boolean> {
		const { report, signal } = this.#options;
		try {
			await act();
			return true;
		} catch (error) {
			const message = messageOf(error);
			if (!signal.aborted && !HAS_ENDED.test(message))
				report(`warning: couldn't attach to ${nameOf(pod)}, falling back to streaming logs: ${message}`);
			return false;
		}
	}
}

function nameOf({ metadata }: Pod): string {
	return `pod/${metadata.name}`;
}

/** The container has ended before the session: its log has all of its output, and nothing is worth a warning. */
const HAS_ENDED = /^container \S+ (not found in pod|is not running)/;
