/**
 * The launcher's own work, without the socket: it keeps the sandboxes and containers of one folder, runs
 * their programs and remembers in its journal what must outlive it.
 *
 * 1. A container is in the journal before its program is started and its end is before anybody is told.
 *    So whatever a killed launcher leaves behind is found, and no end is told twice in different ways.
 * 2. What an earlier launcher left running is killed before the first call is answered.
 */
import { rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { ConcurrencyLimit } from '../../../base/concurrency-limit.ts';
import { isShortage } from '../../../base/system-error.ts';
import { containerIdOf, sandboxIdOf } from '../ids.ts';
import {
	ContainerStartError,
	type ContainerStatus,
	RuntimeBusy,
	type Sandbox,
	type SandboxConfig,
} from '../runtime.ts';
import {
	ContainerProcess,
	type ProcessEnd,
	type ProcessHost,
	type ProcessOptions,
} from './container-process.ts';
import { folderIdentity } from './folder-identity.ts';
import { Journal, type JournalState, readJournal } from './journal.ts';
import type { JournalEntry, Origin } from './journal-entry.ts';
import { asLost, killLeftOvers } from './left-overs.ts';
import type { Places } from './places.ts';
import { identify, MARK, markOf, newKey, type ProcessIdentity, processSpace } from './process-table.ts';
import { type HostContainerConfig, JOURNAL_NAME, type LauncherCalls } from './protocol.ts';
import { describeShortage, describeStartError } from './start-error.ts';
import { WorkFolders } from './work-folders.ts';

/** What a launcher is made of. */
export interface LauncherOptions extends ProcessHost {
	/** Where it keeps its journal and the sandboxes' folders. */
	readonly folder: string;
	/** One for each container that runs. */
	readonly places: Places;
	/** Told of each container that ended. */
	onExit(status: ContainerStatus): void;
	/** Called when nothing runs any more. */
	onIdle(): void;
}

interface SandboxEntry {
	sandbox: Sandbox;
	/** The name of its working folder. */
	readonly folder: string;
	readonly containers: Set<Container>;
}

interface Container {
	readonly sandbox: SandboxEntry;
	status: ContainerStatus;
	/** Until it has ended. */
	config?: HostContainerConfig;
	starting?: Promise<ContainerStatus>;
	running?: {
		readonly process: ContainerProcess;
		readonly identity: ProcessIdentity;
		readonly over: Promise<void>;
	};
}

/** How many processes may be started at once. Node starts one after the other, so more would only hold pipes. */
const MOST_STARTS = 4;

/** How long a container waits for the machine to have what its start takes, before the caller is told. */
const LONGEST_WAIT_MS = 1000;

/** How often what could not be written to the journal is tried again. */
const SAVE_AGAIN_MS = 500;

/** See the head of this file. */
export class Launcher implements LauncherCalls {
	readonly #options: LauncherOptions;
	readonly #folders: WorkFolders;
	readonly #journalPath: string;
	readonly #journal: Journal;
	/** See {@link Origin.key}. */
	readonly #key: string;
	readonly #sandboxes = new Map<string, SandboxEntry>();
	readonly #containers = new Map<string, Container>();
	readonly #starts = new ConcurrencyLimit(MOST_STARTS);
	/** How many containers are starting or running. */
	#active = 0;
	/** Whether a timer is set to write what the journal lacks. */
	#isSaving = false;

	private constructor(options: LauncherOptions, folders: WorkFolders, left: JournalState) {
		this.#options = options;
		this.#key = keyOf(left, options.folder);
		this.#folders = folders;
		for (const { sandbox, folder } of left.sandboxes.values()) this.#addSandbox(sandbox, folder);
		for (const status of left.containers.values()) {
			const sandbox = this.#sandboxes.get(status.sandboxId);
			if (sandbox) this.#addContainer({ sandbox, status });
		}
		const { onError } = options;
		this.#journalPath = join(options.folder, JOURNAL_NAME);
		this.#journal = new Journal({ path: this.#journalPath, current: () => this.#entries(), onError });
	}

	/**
	 * Reads what an earlier launcher left in the folder, and kills what of it still runs. Rejects if the folder
	 * is not safe to use.
	 */
	static async open(options: LauncherOptions): Promise<Launcher> {
		const { folder, clock, onError } = options;
		const left = readJournal(join(folder, JOURNAL_NAME));
		if (left.damagedLines > 0) onError(new Error(`${left.damagedLines} lines of the journal are damaged`));
		await killLeftOvers(left, originOf(folder));
		const inUse = new Set(Array.from(left.sandboxes.values(), (entry) => entry.folder));
		const folders = await WorkFolders.open(join(folder, 'sandboxes'), inUse, onError);
		return new Launcher(options, folders, asLost(left, clock.now()));
	}

	/** True when nothing runs, nothing is being looked for, and what has happened is written down. */
	get isIdle(): boolean {
		const isWritten = !this.#journal.isBehind || this.#sandboxes.size === 0;
		return this.#active === 0 && this.#options.sweeper.isIdle && isWritten;
	}

	/** Closes the journal, and removes it if there is nothing to remember. */
	close(): void {
		this.#journal.close();
		this.#folders.close();
		if (this.#sandboxes.size === 0) rmSync(this.#journalPath, { force: true });
	}

	async runSandbox(config: SandboxConfig): Promise<Sandbox> {
		const id = sandboxIdOf(config);
		const there = this.#sandboxes.get(id);
		if (there) return there.sandbox;
		const createdAt = this.#options.clock.now();
		const sandbox: Sandbox = { id, config, state: 'ready', ip: '127.0.0.1', createdAt };
		const folder = this.#folders.take();
		try {
			this.#journal.append({ sandbox, folder });
		} catch (error) {
			await this.#folders.release(folder);
			throw error;
		}
		this.#addSandbox(sandbox, folder);
		return sandbox;
	}

	async stopSandbox(id: string): Promise<void> {
		const entry = this.#sandboxes.get(id);
		if (!entry) return;
		if (entry.sandbox.state === 'ready') {
			entry.sandbox = { ...entry.sandbox, state: 'stopped' };
			this.#append({ sandbox: entry.sandbox, folder: entry.folder });
		}
		await Promise.all(Array.from(entry.containers, (container) => this.#kill(container)));
	}

	async removeSandbox(id: string): Promise<void> {
		const entry = this.#sandboxes.get(id);
		if (!entry) return;
		await this.stopSandbox(id);
		for (const { status } of entry.containers) await this.removeContainer(status.id);
		await this.#folders.release(entry.folder).catch(this.#options.onError);
		this.#append({ sandboxGone: id });
		this.#sandboxes.delete(id);
	}

	async listSandboxes(): Promise<readonly Sandbox[]> {
		return Array.from(this.#sandboxes.values(), ({ sandbox }) => sandbox);
	}

	async createContainer(sandboxId: string, config: HostContainerConfig): Promise<ContainerStatus> {
		const id = containerIdOf(sandboxId, config);
		const there = this.#containers.get(id);
		if (there) return there.status;
		const sandbox = this.#sandboxes.get(sandboxId);
		if (sandbox?.sandbox.state !== 'ready') {
			throw new ContainerStartError('CreateContainerError', `sandbox ${sandboxId} is not ready`);
		}
		const { name, attempt, image, imageRef, logPath } = config;
		const { podUid } = sandbox.sandbox.config;
		const createdAt = this.#options.clock.now();
		const base = { id, sandboxId, podUid, name, attempt, image, imageRef, createdAt, logPath };
		const status: ContainerStatus = { ...base, state: 'created' };
		this.#addContainer({ sandbox, status, config });
		return status;
	}

	async startContainer(id: string): Promise<ContainerStatus> {
		const container = this.#containers.get(id);
		if (!container) throw new ContainerStartError('RunContainerError', `there is no container ${id}`);
		if (container.status.state !== 'created') return container.status;
		container.starting ??= this.#start(container).finally(() => {
			delete container.starting;
		});
		return await container.starting;
	}

	async stopContainer(id: string, graceSeconds: number): Promise<void> {
		const container = this.#containers.get(id);
		await container?.starting?.catch(() => {});
		container?.running?.process.stop(graceSeconds * 1000);
	}

	async removeContainer(id: string): Promise<void> {
		const container = this.#containers.get(id);
		if (!container) return;
		await this.#kill(container);
		if (container.status.state !== 'created') this.#append({ containerGone: id });
		this.#containers.delete(id);
		container.sandbox.containers.delete(container);
	}

	async listContainers(): Promise<readonly ContainerStatus[]> {
		return Array.from(this.#containers.values(), ({ status }) => status);
	}

	async killAll(): Promise<void> {
		await Promise.all(Array.from(this.#sandboxes.keys(), (id) => this.removeSandbox(id)));
		await this.#options.sweeper.flush();
	}

	/**
	 * Starts the container in a place of its own. While the machine has too little of something for it, this
	 * waits for other containers to end, but not for long: a caller that wants to stop the container instead
	 * must not have to wait with it.
	 */
	async #start(container: Container): Promise<ContainerStatus> {
		const { clock, places } = this.#options;
		const options = this.#processOptions(container);
		const deadline = clock.monotonic() + LONGEST_WAIT_MS;
		let shortage: unknown;
		this.#active++;
		try {
			while (clock.monotonic() < deadline && (await places.take(deadline))) {
				try {
					return await this.#spawn(container, options);
				} catch (error) {
					places.giveBack();
					if (!isShortage(error)) throw error;
					shortage = error;
				}
				await places.change(deadline);
			}
		} catch (error) {
			const message = await describeStartError(error, options.program);
			const end = { exitCode: 128, finishedAt: clock.now() };
			this.#end(container, end, { reason: 'StartError', message });
			throw new ContainerStartError('RunContainerError', message);
		}
		this.#active--;
		// It never ran: a launcher that comes after this one must not take it for one that was lost.
		if (shortage !== undefined) this.#append({ containerGone: container.status.id });
		if (this.isIdle) this.#options.onIdle();
		throw new RuntimeBusy(shortage === undefined ? places.whyNone : describeShortage(shortage));
	}

	async #spawn(container: Container, options: ProcessOptions): Promise<ContainerStatus> {
		this.#journal.append({ container: container.status });
		this.#options.sweeper.spare(this.#markOf(container.status.id));
		const process = await this.#starts.run(() => ContainerProcess.start(options, this.#options));
		return this.#started(container, process);
	}

	#processOptions({ config, status, sandbox }: Container): ProcessOptions {
		if (!config)
			throw new ContainerStartError('RunContainerError', `container ${status.id} cannot be started`);
		const { program, logPath: path, logMaxBytes: maxBytes, logMaxFiles: maxFiles } = config;
		const own = this.#folders.pathOf(sandbox.folder);
		const workingDir = isAbsolute(program.workingDir) ? program.workingDir : join(own, program.workingDir);
		const mark = this.#markOf(status.id);
		return {
			mark,
			program: { ...program, workingDir, env: { ...program.env, [MARK]: mark } },
			log: { path, maxBytes, maxFiles },
		};
	}

	#markOf(containerId: string): string {
		return markOf(containerId, this.#key);
	}

	#started(container: Container, process: ContainerProcess): ContainerStatus {
		const startedAt = this.#options.clock.now();
		const identity = identify(process.pid, startedAt);
		const status: ContainerStatus = { ...container.status, state: 'running', startedAt };
		container.status = status;
		delete container.config;
		const over = process.ended.then((end) => {
			const reason = end.exitCode === 0 ? 'Completed' : 'Error';
			this.#options.places.giveBack();
			this.#end(container, end, { reason, startedAt });
			this.#options.sweeper.add(this.#markOf(status.id));
		});
		container.running = { process, identity, over };
		this.#append({ process: identity, of: status.id });
		return status;
	}

	#end(
		container: Container,
		end: ProcessEnd,
		more: { readonly reason: string; readonly message?: string; readonly startedAt?: number },
	): void {
		container.status = { ...container.status, state: 'exited', ...end, ...more };
		delete container.config;
		delete container.running;
		this.#active--;
		this.#append({ container: container.status });
		this.#options.onExit(container.status);
		if (this.isIdle) this.#options.onIdle();
	}

	/** Kills the container at once, if it runs; resolves when its end has been told. */
	async #kill(container: Container): Promise<void> {
		await container.starting?.catch(() => {});
		const { running } = container;
		running?.process.stop(0);
		await running?.over;
	}

	#addSandbox(sandbox: Sandbox, folder: string): void {
		this.#sandboxes.set(sandbox.id, { sandbox, folder, containers: new Set() });
	}

	#addContainer(container: Container): void {
		this.#containers.set(container.status.id, container);
		container.sandbox.containers.add(container);
	}

	/** Records what has happened already: a full disk cannot undo it, and it is written as soon as it can be. */
	#append(entry: JournalEntry): void {
		this.#journal.record(entry);
		this.#saveLater();
	}

	#saveLater(): void {
		if (!this.#journal.isBehind || this.#isSaving) return;
		this.#isSaving = true;
		this.#options.clock.setTimer(SAVE_AGAIN_MS, () => {
			this.#isSaving = false;
			// What is in the way was told when it came.
			this.#journal.save(() => {});
			this.#saveLater();
			if (this.isIdle) this.#options.onIdle();
		});
	}

	*#entries(): Iterable<JournalEntry> {
		yield { ...originOf(this.#options.folder), key: this.#key };
		for (const { sandbox, folder } of this.#sandboxes.values()) yield { sandbox, folder };
		for (const { status, running } of this.#containers.values()) {
			if (status.state !== 'created') yield { container: status };
			if (running) yield { process: running.identity, of: status.id };
		}
	}
}

/**
 * The key of the launcher that left `left` in the folder, since what it started may have to be looked for again; a
 * new one where that was another folder, whose launcher may be at work with it.
 */
function keyOf(left: JournalState, folder: string): string {
	const isOurs = left.folder !== undefined && left.folder === folderIdentity(folder);
	return (isOurs ? left.key : undefined) ?? newKey();
}

/** What the journal says of the processes that are started from here. */
function originOf(folder: string): Origin {
	const identity = folderIdentity(folder);
	return { boot: processSpace(), ...(identity !== undefined && { folder: identity }) };
}
