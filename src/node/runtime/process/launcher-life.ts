/**
 * The life of a launcher that holds the lock of its folder: it opens what it works with, serves, and ends when
 * nothing is left to do, or with its client.
 *
 * All paths are relative to the folder that it was started in, which it keeps when the folder is moved or
 * removed: it never works on, or removes, what another launcher has made at the same path.
 */
import { rmSync } from 'node:fs';
import type { Clock } from '../../../base/clock.ts';
import { LogTime } from '../log-time.ts';
import { DescriptorPool } from './descriptor-pool.ts';
import { type DescriptorShares, descriptorLimit, shareDescriptors } from './descriptor-shares.ts';
import { FifoPool } from './fifo-pool.ts';
import { Launcher } from './launcher.ts';
import type { LauncherLock } from './launcher-lock.ts';
import { LauncherServer } from './launcher-server.ts';
import { Places } from './places.ts';
import { SOCKET_NAME } from './protocol.ts';
import type { RemovableFolder } from './removable-folder.ts';
import { Sweeper } from './sweeper.ts';

/** How long a launcher waits for its first client. */
const FIRST_CLIENT_MS = 10_000;

/** What a {@link LauncherLife} works with. */
export interface LauncherLifeOptions {
	readonly clock: Clock;
	readonly lock: LauncherLock;
	/**
	 * If set, the launcher belongs to one client: if that goes before it has had everything killed, the
	 * launcher does it, and removes this folder.
	 */
	readonly removable: RemovableFolder | undefined;
	onError(error: unknown): void;
}

/** See the head of this file. */
export class LauncherLife {
	readonly #options: LauncherLifeOptions;
	readonly #pipes: FifoPool;
	readonly #launcher: Launcher;
	readonly #server: LauncherServer;
	/** False once a client has had everything killed. */
	#isWanted = true;
	#isAbandoned = false;
	#hasEnded = false;

	private constructor(options: LauncherLifeOptions, pipes: FifoPool, launcher: Launcher) {
		this.#options = options;
		this.#pipes = pipes;
		this.#launcher = launcher;
		this.#server = new LauncherServer({
			target: launcher,
			pid: process.pid,
			onAlone: () => this.#noteAlone(),
			onKilled: () => this.#noteKilled(),
			onError: options.onError,
		});
	}

	/** Resolves once the launcher can be called. Rejects if the folder cannot be used. */
	static async begin(options: LauncherLifeOptions): Promise<void> {
		const { clock, onError } = options;
		// None of them calls back before the life has begun.
		let life: LauncherLife | undefined;
		const onIdle = (): void => {
			if (life) life.#endIfDone();
		};
		const shares = shareDescriptors(descriptorLimit());
		const pipes = new FifoPool('pipes');
		const launcher = await Launcher.open({
			clock,
			folder: '.',
			logTime: new LogTime(clock, process.hrtime.bigint),
			logDescriptors: new DescriptorPool(shares.logs),
			places: new Places({ count: shares.containers, whyNone: whyNoPlace(shares), clock }),
			pipes,
			sweeper: new Sweeper(clock, { onIdle, onError }),
			onError,
			onExit: (status) => {
				if (life) life.#server.tell(status);
			},
			onIdle,
		});
		life = new LauncherLife(options, pipes, launcher);
		await life.#serve();
	}

	async #serve(): Promise<void> {
		// A relative path also because the system takes only about 100 characters.
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
		// Nothing new is begun: a client that connects now finds no launcher here.
		this.#server.close();
		this.#launcher.killAll().then(() => this.#noteKilled(), this.#options.onError);
	}

	#endIfDone(): void {
		if (this.#hasEnded || !this.#launcher.isIdle || (this.#isWanted && !this.#server.isAlone)) return;
		this.#hasEnded = true;
		const { lock, removable, onError } = this.#options;
		this.#server.close();
		if (lock.isHeld) this.#leaveFolder();
		lock.release();
		if (this.#isAbandoned) removable?.remove().catch(onError);
		// Last, so that a client that is still there sees by it that the folder is left alone.
		this.#server.dismiss();
	}

	/** Removes what this launcher has made. What it remembers stays, if there is any. */
	#leaveFolder(): void {
		rmSync(SOCKET_NAME, { force: true });
		this.#launcher.close();
		this.#pipes.close();
	}
}

function whyNoPlace({ limit, containers }: DescriptorShares): string {
	return `the limit of ${limit} on open files (ulimit -n) is enough for ${containers} containers at once, and as many run`;
}
