/**
 * The lifecycle of a launcher that holds the lock of its folder: it creates its components, serves clients, and exits
 * when no client is connected and no container runs, or together with its client.
 *
 * All paths are relative to the working directory. The launcher keeps that folder although it is renamed or removed,
 * so it never touches the files of another launcher that was started at the same path.
 */
import { rmSync } from 'node:fs';
import { type Clock, SystemClock } from '../../../base/clock.ts';
import { descriptorLimit } from '../../../base/files/descriptor-limit.ts';
import { LogTime } from '../../log-time.ts';
import { ContainerSlots } from '../containers/container-slots.ts';
import type { RemovableFolder } from '../folders/removable-folder.ts';
import { Sweeper } from '../folders/sweeper.ts';
import { DescriptorPool } from '../output/descriptor-pool.ts';
import { type DescriptorShares, shareDescriptors } from '../output/descriptor-shares.ts';
import { FifoPool } from '../output/fifo-pool.ts';
import type { SessionRequest } from '../sessions/session-protocol.ts';
import { type ServeSession, SessionServer } from '../sessions/session-server.ts';
import { Shim } from '../shim/shim.ts';
import { shimFile } from '../shim/shim-file.ts';
import { readJournal } from './journal.ts';
import type { RunRecord } from './journal-entry.ts';
import { Launcher } from './launcher.ts';
import { JOURNAL_NAME, PIPES_NAME, SESSIONS_NAME, SOCKET_NAME } from './launcher-files.ts';
import type { LauncherLock } from './launcher-lock.ts';
import { LauncherServer } from './launcher-server.ts';
import { originOf } from './origin.ts';
import { type Recovered, recover } from './recovery.ts';

/** How long a start may take: the client waits no longer. */
const LONGEST_START_MS = 30_000;
/** How long a launcher without containers waits for its first client before it exits. */
const FIRST_CLIENT_MS = 10_000;

/** The components and settings of a {@link LauncherLife}. */
export interface LauncherLifeOptions {
	readonly clock: Clock;
	readonly lock: LauncherLock;
	/**
	 * If set, the launcher belongs to one client. If that client disconnects without `killAll`, the launcher kills all
	 * containers and removes this folder.
	 */
	readonly removable: RemovableFolder | undefined;
	/** If false, containers are children of the launcher although the shim could start them. */
	readonly usesShim: boolean;
	onError(error: unknown): void;
}

/** See the header of this file. */
export class LauncherLife {
	readonly #options: LauncherLifeOptions;
	readonly #pipes: FifoPool;
	readonly #shim: Shim | undefined;
	readonly #launcher: Launcher;
	readonly #server: LauncherServer;
	readonly #sessions: SessionServer;
	/** False once `killAll` was performed: the launcher then exits although clients are connected. */
	#isWanted = true;
	/** True once the client that the launcher belongs to has disconnected without `killAll`. */
	#isAbandoned = false;
	#hasEnded = false;

	private constructor(
		options: LauncherLifeOptions,
		{ pipes, launcher, shim }: { pipes: FifoPool; launcher: Launcher; shim: Shim | undefined },
	) {
		this.#options = options;
		this.#pipes = pipes;
		this.#shim = shim;
		this.#launcher = launcher;
		const begin = (request: SessionRequest): Promise<ServeSession> => launcher.beginSession(request);
		this.#sessions = new SessionServer({ begin, onError: options.onError });
		this.#server = new LauncherServer({
			target: launcher,
			pid: process.pid,
			onAlone: () => this.#noteAlone(),
			onKilled: () => this.#noteKilled(),
			onError: options.onError,
		});
	}

	/** Starts a launcher in the working directory. Resolves once it accepts calls; rejects if the folder is unusable. */
	static async start(options: LauncherLifeOptions): Promise<void> {
		// The recovery waits by timers, which do not keep a process alive: Node would exit in the middle of it.
		const awake = new SystemClock({ keepsAlive: true }).setTimer(LONGEST_START_MS, () => {});
		try {
			await LauncherLife.#start(options);
		} finally {
			awake.cancel();
		}
	}

	static async #start(options: LauncherLifeOptions): Promise<void> {
		const { clock, onError } = options;
		// The components call back only after they get their first call, by which time it is set.
		let life: LauncherLife | undefined;
		const onIdle = (): void => {
			if (life) life.#endIfDone();
		};
		const shares = shareDescriptors(descriptorLimit());
		const folder = '.';
		const shim = openShim(options, folder);
		const journaled = readJournal(JOURNAL_NAME);
		if (journaled.damagedLines > 0)
			onError(new Error(`ignored ${journaled.damagedLines} damaged lines of the journal`));
		const recovered = await recover(journaled, { here: originOf(folder), shim, clock });
		const pipes = new FifoPool(PIPES_NAME, pipesOf(recovered));
		const launcher = await Launcher.open(
			{
				clock,
				folder,
				logTime: new LogTime(clock, process.hrtime.bigint),
				logDescriptors: new DescriptorPool(shares.logs),
				slots: new ContainerSlots({ count: shares.containers, fullMessage: noSlotMessage(shares), clock }),
				pipes,
				shim,
				sweeper: new Sweeper(clock, { onIdle, onError }),
				onError,
				onExit: (status) => {
					if (life) life.#server.broadcastExit(status);
				},
				onIdle,
			},
			recovered,
		);
		shim?.prepare();
		life = new LauncherLife(options, { pipes, launcher, shim });
		await life.#serve();
	}

	async #serve(): Promise<void> {
		// The path is relative also because the system limits it to about 100 characters.
		await this.#sessions.listen(SESSIONS_NAME);
		await this.#server.listen(SOCKET_NAME);
		this.#options.clock.setTimer(FIRST_CLIENT_MS, () => {
			if (this.#server.isAlone) this.#noteAlone();
		});
	}

	#noteAlone(): void {
		if (this.#options.removable && this.#isWanted) this.#endWithClient();
		else this.#endIfDone();
	}

	#noteKilled(): void {
		this.#isWanted = false;
		this.#endIfDone();
	}

	#endWithClient(): void {
		if (this.#isAbandoned) return;
		this.#isAbandoned = true;
		// Stops listening before it kills: a client that connects now must start another launcher.
		this.#server.close();
		this.#launcher.killAll().then(() => this.#noteKilled(), this.#options.onError);
	}

	#endIfDone(): void {
		if (this.#hasEnded || !this.#launcher.isIdle || (this.#isWanted && !this.#server.isAlone)) return;
		this.#hasEnded = true;
		this.#server.close();
		this.#sessions.close();
		const left = this.#launcher.leaveNetworks();
		if (left) void left.catch(this.#options.onError).finally(() => this.#leave());
		else this.#leave();
	}

	/** The last acts of this process. */
	#leave(): void {
		const { lock, removable, onError } = this.#options;
		const isOurs = lock.isHeld;
		this.#shim?.close(isOurs);
		this.#launcher.close(isOurs);
		if (isOurs) this.#leaveFolder();
		lock.release();
		if (this.#isAbandoned) removable?.remove().catch(onError);
		// Last: a client takes the closed connection as the sign that the launcher no longer uses the folder.
		this.#server.disconnectClients();
	}

	/** Removes the files that clients and containers use. */
	#leaveFolder(): void {
		rmSync(SOCKET_NAME, { force: true });
		rmSync(SESSIONS_NAME, { force: true });
		this.#pipes.close();
	}
}

function noSlotMessage({ limit, containers }: DescriptorShares): string {
	return (
		`the limit of ${limit} on open files (ulimit -n) allows ${containers} containers to run at once, ` +
		'and as many are running'
	);
}

/** The shim, where it can run. */
function openShim({ clock, usesShim, onError }: LauncherLifeOptions, folder: string): Shim | undefined {
	const file = usesShim ? shimFile() : undefined;
	return file === undefined ? undefined : new Shim({ file, folder, clock, onError });
}

function runPaths(run: RunRecord | undefined): readonly string[] {
	return run ? [...run.pipes, ...Object.values(run.input ?? {})] : [];
}

function pipesOf({ state, running }: Recovered): ReadonlySet<string> {
	return new Set(Array.from(running.keys()).flatMap((id) => runPaths(state.runs.get(id))));
}
