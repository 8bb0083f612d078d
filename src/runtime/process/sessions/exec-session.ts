import { closeSync } from 'node:fs';
import { CHANNELS, type Duplex, ENDED } from '../../../api/contract/duplex.ts';
import type { Clock } from '../../../base/clock.ts';
import { type ExecConfig, ExecError } from '../../contract.ts';
import type { MainProcess } from '../containers/main-process.ts';
import type { ProcessIdentity } from '../launcher/process-table.ts';
import type { HostProgram } from '../launcher/protocol.ts';
import type { Fifo, FifoPool } from '../output/fifo-pool.ts';
import type { Shim } from '../shim/shim.ts';
import { type ContainerBox, rightsOnly, type ShimRequest } from '../shim/shim-request.ts';
import { describeStartError } from '../start-error.ts';
import { pipeWriter, receiveInput, type SentOutput, sendOutput } from './session-pipes.ts';
import type { ServeSession } from './session-server.ts';

/** How long processes that a command left behind may keep its output open without writing. */
const LEFT_BEHIND_MS = 100;

/** The container in which a command runs. */
export interface ExecTarget {
	/** The process whose namespaces it enters. */
	readonly identity: ProcessIdentity;
	/** Its environment and working directory are those of the command too. */
	readonly program: HostProgram;
	readonly box: ContainerBox | undefined;
	readonly cgroups: readonly string[];
	/** Resolves when the container has ended: its commands end with it. */
	readonly ended: Promise<unknown>;
}

/** The launcher's components that a session uses. */
export interface ExecHost {
	readonly shim: Pick<Shim, 'start' | 'newId'>;
	readonly pipes: Pick<FifoPool, 'take'>;
	readonly clock: Clock;
}

/**
 * Starts a command in a container. Rejects with {@link ExecError} if it cannot be started. It is killed when the
 * control pipe is closed: by the end of the session, or of the launcher.
 */
export async function beginExec(
	target: ExecTarget,
	config: ExecConfig,
	host: ExecHost,
): Promise<ServeSession> {
	const pipes = await SessionPipes.take(config, host);
	const program = { ...target.program, argv: config.command };
	try {
		const command = await host.shim.start(requestOf({ ...target, program }, config, { host, pipes }));
		pipes.noteStarted();
		// Without a process namespace, nothing else ends the command.
		void target.ended.then(() => pipes.close());
		return (peer) => runCommand(command, { peer, pipes, clock: host.clock });
	} catch (error) {
		pipes.noteStarted();
		for (const [, { readFd }] of pipes.outputs) closeSync(readFd);
		pipes.close();
		throw new ExecError('StartError', await describeStartError(error, program, target.box));
	}
}

function requestOf(
	{ identity, program, box, cgroups }: ExecTarget,
	{ tty }: ExecConfig,
	{ host, pipes }: { readonly host: ExecHost; readonly pipes: SessionPipes },
): ShimRequest {
	const { argv, env, workingDir: cwd } = program;
	return {
		id: host.shim.newId(),
		argv,
		env: tty ? { TERM: 'xterm', ...env } : env,
		cwd,
		cgroups,
		enter: true,
		join: identity,
		tty,
		...pipes.paths,
		...(box && { box: rightsOnly(box) }),
	};
}

async function runCommand(
	command: MainProcess,
	{ peer, pipes, clock }: { readonly peer: Duplex; readonly pipes: SessionPipes; readonly clock: Clock },
): Promise<void> {
	const outputs = pipes.outputs.map(([channel, fifo]) => sendOutput(fifo.readFd, channel, peer));
	const left = peer.closed.then(() => pipes.close());
	const input = { stdin: pipes.stdin, control: pipes.control, onInputEnd: () => void pipes.stdin?.end() };
	void receiveInput(peer, input);
	const { exitCode } = await command.exit;
	command.forget();
	await readToEnd(outputs, clock);
	const bytes = Buffer.from(JSON.stringify({ exitCode }));
	await peer.send({ type: 'data', channel: CHANNELS.error, bytes });
	peer.close(ENDED);
	await left;
}

/** Resolves when the outputs have ended, or nothing was read for two periods: on a busy machine one may have no read. */
async function readToEnd(outputs: readonly SentOutput[], clock: Clock): Promise<void> {
	let hasEnded = false;
	const ended = Promise.all(outputs.map((output) => output.done)).then(() => {
		hasEnded = true;
	});
	const read = (): number => outputs.reduce((sum, { chunks }) => sum + chunks, 0);
	let before = read();
	for (let quiet = 0; quiet < 2 && !hasEnded; quiet = read() === before ? quiet + 1 : 0) {
		before = read();
		await new Promise<void>((resolve) => {
			const timer = clock.setTimer(LEFT_BEHIND_MS, resolve);
			void ended.then(() => {
				timer.cancel();
				resolve();
			});
		});
	}
	for (const output of outputs) output.cut();
	await ended;
}

/** The pipes of one session, each for one use. */
export class SessionPipes {
	readonly stdin: ReturnType<typeof pipeWriter> | undefined;
	readonly control: ReturnType<typeof pipeWriter>;
	/** The pipes of the outputs, by channel. */
	readonly outputs: readonly (readonly [channel: number, fifo: Fifo])[];
	readonly paths: Pick<ShimRequest, 'stdin' | 'stdout' | 'stderr' | 'control'>;
	readonly #inputs: readonly Fifo[];
	#isClosed = false;

	private constructor(parts: {
		readonly stdin: Fifo | undefined;
		readonly control: Fifo;
		readonly stdout: Fifo | undefined;
		readonly stderr: Fifo | undefined;
	}) {
		const { stdin, control, stdout, stderr } = parts;
		this.#inputs = [control, ...(stdin ? [stdin] : [])];
		this.stdin = stdin && pipeWriter(stdin.writeFd);
		this.control = pipeWriter(control.writeFd);
		this.outputs = [
			...(stdout ? [[CHANNELS.stdout, stdout] as const] : []),
			...(stderr ? [[CHANNELS.stderr, stderr] as const] : []),
		];
		this.paths = {
			control: control.path,
			...(stdin && { stdin: stdin.path }),
			...(stdout && { stdout: stdout.path }),
			...(stderr && { stderr: stderr.path }),
		};
	}

	/** Takes the pipes. Rejects with {@link ExecError} if this machine has none. */
	static async take(
		{ stdin, stdout, stderr, tty }: Omit<ExecConfig, 'command'>,
		{ pipes }: ExecHost,
	): Promise<SessionPipes> {
		const taken: Fifo[] = [];
		const take = async (isWanted: boolean): Promise<Fifo | undefined> => {
			if (!isWanted) return undefined;
			const fifo = await pipes.take();
			if (!fifo) throw new ExecError('Unsupported', 'this machine has no named pipes');
			taken.push(fifo);
			return fifo;
		};
		try {
			const control = await take(true);
			const streams = {
				stdin: await take(stdin),
				stdout: await take(stdout || tty),
				stderr: await take(stderr && !tty),
			};
			if (control) return new SessionPipes({ control, ...streams });
			throw new ExecError('Unsupported', 'this machine has no named pipes');
		} catch (error) {
			for (const { readFd, writeFd, release } of taken) {
				closeSync(readFd);
				closeSync(writeFd);
				release(true);
			}
			throw error;
		}
	}

	/** Closes the ends that the command has now, so that each side sees the end of the other. */
	noteStarted(): void {
		for (const [, { writeFd }] of this.outputs) closeSync(writeFd);
		for (const { readFd } of this.#inputs) closeSync(readFd);
	}

	/** Closes the inputs, which kills the command if it still runs. May be repeated. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.stdin?.destroy();
		this.control.destroy();
		// Not to be used again: a process that the command left behind may have them open.
		for (const fifo of this.#inputs) fifo.release(false);
		for (const [, fifo] of this.outputs) fifo.release(false);
	}
}
