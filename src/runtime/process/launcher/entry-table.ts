import type { RuntimeContainer } from '../../contract.ts';
import type { ContainerProcess, ProcessHost } from '../containers/container-process.ts';
import type { ContainerSlots } from '../containers/container-slots.ts';
import type { PodNetwork } from '../network/pod-network.ts';
import type { Shim } from '../shim/shim.ts';
import type { JournalState } from './journal.ts';
import type { JournalEntry, RunRecord } from './journal-entry.ts';
import type { ProcessIdentity } from './process-table.ts';
import type { HostContainerConfig, HostSandbox } from './protocol.ts';

/** The components and settings of a launcher. */
export interface LauncherOptions extends ProcessHost {
	readonly shim: Shim | undefined;
	/** The folder of its journal and of the sandboxes' working folders. */
	readonly folder: string;
	/** Limits the running containers: each takes one slot. */
	readonly slots: ContainerSlots;
	/** Called with each container that has exited. */
	onExit(status: RuntimeContainer): void;
	/** Called when `isIdle` of the launcher may have become true. */
	onIdle(): void;
}

/** A sandbox as the launcher keeps it. Only the launcher changes it. */
export interface SandboxEntry {
	sandbox: HostSandbox;
	/** The name of its working folder. */
	readonly folder: string;
	readonly containers: Set<ContainerEntry>;
}

/** A container as the launcher keeps it, from its creation to its removal. Only the launcher changes it. */
export interface ContainerEntry {
	readonly sandbox: SandboxEntry;
	status: RuntimeContainer;
	/** Set until the container is started. */
	config?: HostContainerConfig;
	/** The start in progress. */
	starting?: Promise<RuntimeContainer>;
	/** How the shim runs it; undefined where it does not. */
	run?: RunRecord;
	/** Set while the process runs; `reported` resolves after its exit was reported. */
	running?: { readonly process: ContainerProcess; readonly reported: Promise<void> };
}

/** The sandboxes and containers of a launcher, by id. Only the launcher changes it. */
export class EntryTable {
	readonly sandboxes = new Map<string, SandboxEntry>();
	readonly containers = new Map<string, ContainerEntry>();

	/** Begins with what an earlier launcher has left. */
	constructor({ sandboxes, containers, runs }: Pick<JournalState, 'sandboxes' | 'containers' | 'runs'>) {
		for (const { sandbox, folder } of sandboxes.values()) this.addSandbox(sandbox, folder);
		for (const status of containers.values()) {
			const sandbox = this.sandboxes.get(status.sandboxId);
			const run = runs.get(status.id);
			if (sandbox) this.addContainer({ sandbox, status, ...(run && status.state !== 'exited' && { run }) });
		}
	}

	/** Adds a sandbox with the name of its working folder. */
	addSandbox(sandbox: HostSandbox, folder: string): void {
		this.sandboxes.set(sandbox.id, { sandbox, folder, containers: new Set() });
	}

	/** Adds a container to its sandbox. */
	addContainer(container: ContainerEntry): void {
		this.containers.set(container.status.id, container);
		container.sandbox.containers.add(container);
	}

	/** Removes a container from its sandbox. */
	removeContainer(container: ContainerEntry): void {
		this.containers.delete(container.status.id);
		container.sandbox.containers.delete(container);
	}

	/** The entries that describe the present state, for a rewrite of the journal; `head` identifies the launcher. */
	*journalEntries(head: JournalEntry): Iterable<JournalEntry> {
		yield head;
		for (const { sandbox, folder } of this.sandboxes.values()) yield { sandbox, folder };
		for (const { status, running, run } of this.containers.values()) {
			if (status.state !== 'created' || run) yield { container: status };
			if (run) yield { run, of: status.id };
			if (running) yield { process: running.process.identity, of: status.id };
		}
	}

	/** The states of all sandboxes. */
	sandboxStates(): readonly HostSandbox[] {
		return Array.from(this.sandboxes.values(), ({ sandbox }) => sandbox);
	}

	/** The states of all containers. */
	containerStates(): readonly RuntimeContainer[] {
		return Array.from(this.containers.values(), ({ status }) => status);
	}

	/** The networks of the sandboxes that have one of their own, by sandbox. */
	networks(): ReadonlyMap<string, PodNetwork> {
		return new Map(
			this.sandboxStates().flatMap(({ id, state, network }) =>
				network && state === 'ready' ? [[id, network] as const] : [],
			),
		);
	}

	/** The processes of the running containers of a sandbox. */
	processesIn(sandboxId: string): readonly ProcessIdentity[] {
		return [...(this.sandboxes.get(sandboxId)?.containers ?? [])].flatMap(({ running }) =>
			running ? [running.process.identity] : [],
		);
	}

	/** Whether a container shares the namespaces of `container`. */
	isJoined({ sandbox, status }: ContainerEntry): boolean {
		return [...sandbox.containers].some(({ run }) => run?.config.join === status.id);
	}
}
