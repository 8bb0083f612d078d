/**
 * The launcher without its socket: it manages the sandboxes and containers of one folder, starts their programs, and
 * records in its journal what a later launcher needs after this one was killed.
 *
 * 1. The launcher writes a container to the journal before it starts the program, and its exit before it reports the
 *    exit. So a later launcher finds all processes of a killed one, and never reports a second, different exit.
 * 2. Before it answers its first call, a launcher continues with the containers that an earlier one left to the shim,
 *    and kills the other processes that it left running (recovery.ts).
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerUsage } from '../../../api/contract/usage.ts';
import { ConcurrencyLimit } from '../../../base/queue/concurrency-limit.ts';
import { ContainerStartError, type RuntimeContainer } from '../../contract.ts';
import { containerIdOf, sandboxIdOf } from '../../ids.ts';
import type { CgroupLimits } from '../cgroups/cgroup-limits.ts';
import { Cgroups, startIn } from '../cgroups/cgroups.ts';
import { withOwnGroups } from '../cgroups/own-groups.ts';
import { ContainerProcess, type ProcessOptions } from '../containers/container-process.ts';
import { ContainerView } from '../containers/container-view.ts';
import type { MainProcess, ProcessEnd } from '../containers/main-process.ts';
import { processOptionsOf } from '../containers/process-options.ts';
import { type SlotStart, startInSlot } from '../containers/start-in-slot.ts';
import { WorkFolders } from '../folders/work-folders.ts';
import { podNetworksOf } from '../network/launcher-networks.ts';
import type { NodeNetwork, OpenedNetwork } from '../network/pod-bridge.ts';
import type { NetworkPaths, PodNetworks } from '../network/pod-networks.ts';
import { beginContainerSession } from '../sessions/container-session.ts';
import { beginDial } from '../sessions/dial-session.ts';
import type { SessionRequest } from '../sessions/session-protocol.ts';
import type { ServeSession } from '../sessions/session-server.ts';
import { checkJoin, isPause } from '../shared-processes.ts';
import { hasOwnProcesses } from '../shim/shim-request.ts';
import { describeStartError } from '../start-error.ts';
import { usageOf } from '../stats/container-usage.ts';
import { type ContainerEntry, EntryTable, type LauncherOptions } from './entry-table.ts';
import { Journal, type JournalState } from './journal.ts';
import type { JournalEntry, RunRecord } from './journal-entry.ts';
import { JournalRetries } from './journal-retries.ts';
import { JOURNAL_NAME } from './launcher-files.ts';
import { launcherKeyOf, originOf } from './origin.ts';
import { descendantsOf, markOf } from './process-table.ts';
import type { HostContainerConfig, HostSandbox, HostSandboxConfig, LauncherCalls } from './protocol.ts';
import { type Recovered, reasonOf, WAITER_KILLED } from './recovery.ts';

/** Limit on concurrent starts. Node spawns one process at a time, so more would only hold pipes open. */
const MOST_STARTS = 4;

/** See the header of this file. */
export class Launcher implements LauncherCalls {
	readonly #options: LauncherOptions;
	readonly #folders: WorkFolders;
	readonly #journalPath: string;
	readonly #journal: Journal;
	readonly #events: JournalRetries;
	/** See {@link Origin.key}. */
	readonly #key: string;
	readonly #entries: EntryTable;
	readonly #cgroups: Cgroups | undefined;
	readonly #networks: PodNetworks | undefined;
	/** The sandboxes that are being created. */
	readonly #creating = new Map<string, Promise<HostSandbox>>();
	readonly #starts = new ConcurrencyLimit(MOST_STARTS);
	/** Number of containers that are starting or running. */
	#active = 0;

	private constructor(options: LauncherOptions, folders: WorkFolders, journaled: JournalState) {
		this.#options = options;
		this.#key = launcherKeyOf(journaled, options.folder);
		this.#folders = folders;
		const { clock, onError, onIdle, shim } = options;
		this.#cgroups = shim && this.#key ? new Cgroups({ key: this.#key, clock, onError, onIdle }) : undefined;
		this.#entries = new EntryTable(journaled);
		const entries = this.#entries;
		this.#networks = shim && podNetworksOf({ shim, key: this.#key, entries, onError });
		this.#journalPath = join(options.folder, JOURNAL_NAME);
		const head = { ...originOf(options.folder), key: this.#key };
		const current = (): Iterable<JournalEntry> => this.#entries.journalEntries(head);
		this.#journal = new Journal({ path: this.#journalPath, current, onError });
		this.#events = new JournalRetries(this.#journal, clock, () => this.isIdle && onIdle());
	}

	/**
	 * Continues with what an earlier launcher has left. Rejects if the folder is a link or belongs to another user, or the
	 * journal cannot be written.
	 */
	static async open(options: LauncherOptions, { state, running }: Recovered): Promise<Launcher> {
		const { folder, onError, shim } = options;
		const inUse = new Set(Array.from(state.sandboxes.values(), (entry) => entry.folder));
		const folders = await WorkFolders.open(join(folder, 'sandboxes'), inUse, onError);
		const launcher = new Launcher(options, folders, state);
		await launcher.#cgroups?.recover(state.runs, new Set(running.keys()));
		for (const [id, record] of running) {
			const main = shim?.adopt(record);
			const container = launcher.#entries.containers.get(id);
			if (main && container?.run) launcher.#adopt(container, container.run, main);
		}
		shim?.continueRecords();
		// The output of those that have ended is read to its end before the first call is answered.
		for (const [id, { last }] of running)
			if (last.kind === 'ended') await launcher.#entries.containers.get(id)?.running?.reported;
		return launcher;
	}

	/** True if no container is active, no process is searched for, and the journal is complete: it may exit. */
	get isIdle(): boolean {
		if (this.#active > 0 || this.#cgroups?.isIdle === false || !this.#options.sweeper.isIdle) return false;
		return !this.#journal.isBehind || this.#entries.sandboxes.size === 0;
	}

	/**
	 * Leaves nothing behind that no later launcher needs. In a folder that is still this launcher's (`isOurs`), it closes
	 * the journal, and removes it if there is no sandbox: its absence means an empty runtime.
	 */
	close(isOurs: boolean): void {
		this.#cgroups?.close();
		if (!isOurs) return;
		this.#journal.close();
		this.#folders.close();
		if (this.#entries.sandboxes.size === 0) rmSync(this.#journalPath, { force: true });
	}

	async openNetwork(network: OpenedNetwork): Promise<NodeNetwork | undefined> {
		return await this.#networks?.open(network);
	}

	async runSandbox(config: HostSandboxConfig): Promise<HostSandbox> {
		const id = sandboxIdOf(config);
		const existing = this.#entries.sandboxes.get(id);
		if (existing) return existing.sandbox;
		const creating = this.#creating.get(id) ?? this.#createSandbox(id, config);
		this.#creating.set(id, creating);
		return await creating.finally(() => this.#creating.delete(id));
	}

	async #createSandbox(id: string, config: HostSandboxConfig): Promise<HostSandbox> {
		const made = config.podRange && (await this.#networks?.add(id, config.podRange));
		const createdAt = this.#options.clock.now();
		const sandbox: HostSandbox = { id, config, state: 'ready', createdAt, ...(made || { ip: '127.0.0.1' }) };
		const folder = this.#folders.take();
		try {
			this.#journal.append({ sandbox, folder });
		} catch (error) {
			this.#networks?.remove(id);
			await this.#folders.release(folder);
			throw error;
		}
		this.#entries.addSandbox(sandbox, folder);
		return sandbox;
	}

	async stopSandbox(id: string): Promise<void> {
		const entry = this.#entries.sandboxes.get(id);
		if (!entry) return;
		if (entry.sandbox.state === 'ready') {
			entry.sandbox = { ...entry.sandbox, state: 'stopped' };
			this.#events.record({ sandbox: entry.sandbox, folder: entry.folder });
		}
		const all = [...entry.containers];
		// The one that holds the namespaces ends last: all processes in them are killed with it, their waiters too.
		await Promise.all(all.filter(({ status }) => !isPause(status)).map((each) => this.#kill(each)));
		await Promise.all(all.map((each) => this.#kill(each)));
		this.#networks?.remove(id);
	}

	async removeSandbox(id: string): Promise<void> {
		const entry = this.#entries.sandboxes.get(id);
		if (!entry) return;
		await this.stopSandbox(id);
		for (const { status } of entry.containers) await this.removeContainer(status.id);
		if (entry.sandbox.config.limits) await this.#cgroups?.removeSandbox(id);
		await this.#folders.release(entry.folder).catch(this.#options.onError);
		this.#events.record({ sandboxGone: id });
		this.#entries.sandboxes.delete(id);
	}

	async listSandboxes(): Promise<readonly HostSandbox[]> {
		return this.#entries.sandboxStates();
	}

	async createContainer(sandboxId: string, config: HostContainerConfig): Promise<RuntimeContainer> {
		const id = containerIdOf(sandboxId, config);
		const existing = this.#entries.containers.get(id);
		if (existing) return existing.status;
		const sandbox = this.#entries.sandboxes.get(sandboxId);
		if (sandbox?.sandbox.state !== 'ready') {
			throw new ContainerStartError('CreateContainerError', `sandbox ${sandboxId} is not ready`);
		}
		const { name, attempt, image, imageRef, logPath } = config;
		const { podUid } = sandbox.sandbox.config;
		const createdAt = this.#options.clock.now();
		const base = { id, sandboxId, podUid, name, attempt, image, imageRef, createdAt, logPath };
		const status: RuntimeContainer = { ...base, state: 'created' };
		// Not in the journal until its start: the runtime may forget containers that never ran (contract.ts, 8).
		this.#entries.addContainer({ sandbox, status, config });
		return status;
	}

	async startContainer(id: string): Promise<RuntimeContainer> {
		const container = this.#entries.containers.get(id);
		if (!container) throw new ContainerStartError('RunContainerError', `container ${id} does not exist`);
		if (container.status.state !== 'created') return container.status;
		container.starting ??= this.#start(container).finally(() => {
			delete container.starting;
		});
		return await container.starting;
	}

	async stopContainer(id: string, graceSeconds: number): Promise<void> {
		const container = this.#entries.containers.get(id);
		// A start in progress cannot be cancelled: wait until the process exists or the start has failed.
		await container?.starting?.catch(() => {});
		container?.running?.process.stop(graceSeconds * 1000);
	}

	async removeContainer(id: string): Promise<void> {
		const container = this.#entries.containers.get(id);
		if (!container) return;
		await this.#kill(container);
		if (container.status.state !== 'created') this.#events.record({ containerGone: id });
		this.#entries.removeContainer(container);
	}

	async listContainers(): Promise<readonly RuntimeContainer[]> {
		return this.#entries.containerStates();
	}

	async updateContainerLimits(id: string, limits: CgroupLimits): Promise<void> {
		const container = this.#entries.containers.get(id);
		const { running, run } = container ?? {};
		if (!container || !running) return;
		if (!run || !this.#cgroups) throw new Error(`container ${id} was started without the shim`);
		const pids = (): readonly number[] => descendantsOf(running.process.identity.pid);
		const cgroups = this.#cgroups.update({ id, limits, sandbox: container.sandbox.sandbox, pids });
		container.run = { ...run, config: { ...run.config, limits }, cgroups };
		this.#events.record({ run: container.run, of: id });
	}

	usage(): Promise<readonly ContainerUsage[]> {
		return usageOf(this.#entries.containers.values(), this.#options.clock, this.#cgroups);
	}

	async killAll(): Promise<void> {
		await Promise.all(Array.from(this.#entries.sandboxes.keys(), (id) => this.removeSandbox(id)));
		await this.#options.sweeper.flush();
		await this.#networks?.close();
	}

	/** Removes what Pods with networks of their own share; undefined if there is nothing. Called before {@link close}. */
	leaveNetworks(): Promise<void> | undefined {
		return this.#networks?.leave();
	}

	/** Begins a session with a running container. Rejects with {@link ExecError}. */
	async beginSession(request: SessionRequest): Promise<ServeSession> {
		if (request.kind === 'dial')
			return await beginDial(await this.#networkOf(request.sandboxId), request.port, this.#options);
		const container = this.#entries.containers.get(request.containerId);
		const target = container?.running && {
			process: container.running.process,
			run: container.run,
			optionsOf: ({ config }: RunRecord) => this.#processOptions(container, config),
		};
		return await beginContainerSession(request, target, this.#options);
	}

	/** Starts the container. See {@link startInSlot} for how long it waits. */
	async #start(container: ContainerEntry): Promise<RuntimeContainer> {
		const options = this.#processOptions(container);
		let result: SlotStart<RuntimeContainer>;
		this.#active++;
		try {
			result = await startInSlot(this.#options, () => this.#spawn(container, options));
		} catch (error) {
			const message = await describeStartError(error, options.program, options.box);
			const end = { exitCode: 128, finishedAt: this.#options.clock.now() };
			this.#exit(container, end, { reason: 'StartError', message });
			throw new ContainerStartError('RunContainerError', message);
		}
		if ('started' in result) return result.started;
		this.#active--;
		// The container never ran: a later launcher must not report it as lost.
		delete container.run;
		if (result.wasTried) this.#events.record({ containerGone: container.status.id });
		if (this.isIdle) this.#options.onIdle();
		throw result.busy;
	}

	async #spawn(container: ContainerEntry, options: ProcessOptions): Promise<RuntimeContainer> {
		const joined =
			container.config?.join === undefined ? undefined : this.#entries.containers.get(container.config.join);
		checkJoin(container.config, options.join && joined?.run?.config);
		this.#journal.append({ container: container.status });
		// A pending sweep for an earlier container with the same id would kill the new process.
		this.#options.sweeper.cancel(this.#markOf(container.status.id));
		const { config, status, sandbox } = container;
		const sharesProcesses = !hasOwnProcesses(config?.box);
		const network = options.join ? undefined : await this.#networkOf(sandbox.sandbox.id);
		const request = { id: status.id, limits: config?.limits, sharesProcesses, sandbox: sandbox.sandbox };
		const start = (cgroups: ProcessOptions['cgroups']): Promise<ContainerProcess> => {
			const box = withOwnGroups(options.box, (cgroups && this.#cgroups?.placesOf(cgroups)) ?? []);
			return this.#starts.run(() =>
				ContainerProcess.start({ ...options, box, network, cgroups }, this.#options),
			);
		};
		return this.#started(container, await startIn(this.#cgroups, request, start));
	}

	/** The network of a sandbox that has one of its own. */
	async #networkOf(sandboxId: string): Promise<NetworkPaths | undefined> {
		return await this.#networks?.pathsOf(sandboxId, this.#entries.processesIn(sandboxId));
	}

	#processOptions(container: ContainerEntry, config = container.config): ProcessOptions {
		const { status, sandbox } = container;
		if (!config)
			throw new ContainerStartError('RunContainerError', `container ${status.id} cannot be started again`);
		const folder = this.#folders.pathOf(sandbox.folder);
		const join = config.join === undefined ? undefined : this.#entries.containers.get(config.join)?.running;
		return {
			...processOptionsOf(config, { folder, mark: this.#markOf(status.id) }),
			...(join && { join: join.process.identity }),
			onRun: (run) => {
				container.run = { config, ...run };
				this.#journal.append({ run: container.run, of: status.id });
			},
		};
	}

	#adopt(container: ContainerEntry, run: RunRecord, main: MainProcess): void {
		this.#options.slots.occupy();
		this.#active++;
		const options = this.#processOptions(container, run.config);
		const process = ContainerProcess.adopt(main, run, { options, host: this.#options });
		const { status } = container;
		this.#watch(container, process, 'startedAt' in status ? (status.startedAt ?? 0) : 0);
	}

	#markOf(containerId: string): string {
		return markOf(containerId, this.#key);
	}

	#started(container: ContainerEntry, process: ContainerProcess): RuntimeContainer {
		const { startedAt } = process.identity;
		const status: RuntimeContainer = { ...container.status, state: 'running', startedAt };
		container.status = status;
		delete container.config;
		this.#watch(container, process, startedAt);
		this.#events.record({ process: process.identity, of: status.id });
		return status;
	}

	/** Reports the end of the container when its process has ended. */
	#watch(container: ContainerEntry, process: ContainerProcess, startedAt: number): void {
		const hasGroups = this.#cgroups?.of(container.status.id) !== undefined;
		const view = hasGroups ? undefined : ContainerView.of(process.identity.pid, container.run?.config.box);
		const join = container.run?.config.join;
		const reported = process.ended.then(({ isOutOfMemory: isKilled, isUnknown: isLost = false, ...end }) => {
			view?.end();
			// The kernel has killed it with its waiter, at the end of the container whose namespaces it had joined.
			const isUnknown =
				isLost &&
				(join === undefined || this.#entries.containers.get(join)?.running?.process.hasExited === false);
			const isOutOfMemory = this.#cgroups?.end(container.status.id) || isKilled === true;
			const reason = isUnknown ? 'ContainerStatusUnknown' : reasonOf(end.exitCode, isOutOfMemory);
			this.#options.slots.release();
			this.#exit(container, end, { reason, startedAt, ...(isUnknown && { message: WAITER_KILLED }) });
			process.forget();
			if (!process.endsOthers || isLost) this.#options.sweeper.add(this.#markOf(container.status.id));
		});
		container.running = { process, reported };
	}

	/** Records the exit in the journal, then reports it. */
	#exit(
		container: ContainerEntry,
		end: ProcessEnd,
		more: { readonly reason: string; readonly message?: string; readonly startedAt?: number },
	): void {
		container.status = { ...container.status, state: 'exited', ...end, ...more };
		delete container.config;
		delete container.running;
		delete container.run;
		this.#active--;
		this.#events.record({ container: container.status });
		if (this.#entries.isJoined(container)) this.#options.shim?.lookSoon();
		this.#options.onExit(container.status);
		if (this.isIdle) this.#options.onIdle();
	}

	/** Kills the container at once if it runs; resolves after its exit was reported. */
	async #kill(container: ContainerEntry): Promise<void> {
		await container.starting?.catch(() => {});
		const { running } = container;
		running?.process.stop(0);
		await running?.reported;
	}
}
